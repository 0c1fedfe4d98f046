import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.actors import Stage


@pytest.fixture
def stage(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A Redis of the test's own and, as it asks for them, workers, beat and web; all ended with it."""
    directory = Path(os.environ["BACKOFFICE_TEST_DIR"]) / f"stage-{os.urandom(4).hex()}"
    directory.mkdir()
    with Stage(directory) as found:
        yield found
