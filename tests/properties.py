"""How often a property is tried, and with how many of its cases a test: all as written, but a share in `make test`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

SHARE = float(os.environ.get("TEST_SHARE_OF_EXAMPLES", "1"))
SHARE_OF_CASES = float(os.environ.get("TEST_SHARE_OF_CASES", "1"))
FEW = 0.2  # a share up to this takes one case of a test rather than three


def tries(number: int) -> int:
    return max(5, round(number * SHARE))


def some[T](values: Sequence[T]) -> list[T]:
    """Their share, from all over the list, for a test that goes through odd values in a loop."""
    number = max(1, round(len(values) * SHARE_OF_CASES))
    return [values[place * len(values) // number] for place in range(number)]


def cases(nodeids: Iterable[str], share: float = SHARE_OF_CASES) -> Iterator[str]:
    """Of each test its share of cases, from all over its list: three at least, or one where most are left out."""
    at_least = 3 if share > FEW else 1
    for _test, of_test in groupby(nodeids, lambda nodeid: nodeid.partition("[")[0]):
        listed = list(of_test)
        number = max(min(at_least, len(listed)), round(len(listed) * share))
        yield from (listed[place * len(listed) // number] for place in range(number))
