"""Widths and colours that pages are looked at in: the narrow dark one in `make test`, each in `make test-all`."""

import pytest

from tests.browser.page import NARROW, WIDE

LOOKS = [
    (NARROW, True),
    *(pytest.param(*look, marks=pytest.mark.long) for look in ((WIDE, False), (WIDE, True), (NARROW, False))),
]
