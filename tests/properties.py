"""How often a property is tried, and with how many of its cases a test: all as written, but a share in `make test`."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby

SHARE = float(os.environ.get("TEST_SHARE_OF_EXAMPLES", "1"))
SHARE_OF_CASES = float(os.environ.get("TEST_SHARE_OF_CASES", "1"))
AT_LEAST = 3


def tries(number: int) -> int:
    return max(5, round(number * SHARE))


def cases(nodeids: Iterable[str], share: float = SHARE_OF_CASES) -> Iterator[str]:
    """Of each test its share of cases, three at least, from all over its list."""
    for _test, of_test in groupby(nodeids, lambda nodeid: nodeid.partition("[")[0]):
        listed = list(of_test)
        number = max(min(AT_LEAST, len(listed)), round(len(listed) * share))
        yield from (listed[place * len(listed) // number] for place in range(number))
