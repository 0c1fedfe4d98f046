from tests.faults.conftest import stage

__all__ = ["stage"]
