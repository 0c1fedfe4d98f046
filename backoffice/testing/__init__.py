"""For tests of a team's own app: work a run off in the test's process, or have a real worker do it.

    from backoffice.testing import work_off, worker

Fixtures of pytest are in `backoffice.testing.fixtures`. Nothing of the product imports this.
"""

from .processes import Worker, database_url, environment, worker
from .work import work_off

__all__ = ["Worker", "database_url", "environment", "work_off", "worker"]
