"""How often a property is tried: as often as written, but a share of it in `make test` and `make test-fast`."""

import os

SHARE = float(os.environ.get("TEST_SHARE_OF_EXAMPLES", "1"))


def tries(number: int) -> int:
    return max(5, round(number * SHARE))
