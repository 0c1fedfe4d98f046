"""Pages fetch a cut of the theme's fonts."""

import pytest

from tests import fonts

pytestmark = pytest.mark.once


def test_every_icon_that_a_page_shows_is_in_the_cut_of_the_font():
    """Where this fails after an upgrade of the theme, or for an icon of yours: `python -m tests.fonts`."""
    assert fonts.shown() - fonts.held() == set()
    assert {"search", "arrow_forward"} <= fonts.shown()


def test_what_every_page_fetches_of_fonts_is_small():
    cut = [path for path in fonts.OURS.glob("unfold/fonts/*/*.woff2") if "Europe" not in path.name]
    assert len(cut) == 5
    assert sum(path.stat().st_size for path in cut) < 120_000
