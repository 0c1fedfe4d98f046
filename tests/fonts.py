"""Cut the theme's fonts to what pages show: `python -m tests.fonts`, with fonttools and brotli installed.

Of the theme's own 740 KB a page needs 100: the icons that a template, a script or the theme names, and Latin letters;
those of Bulgaria, Greece and Romania come in a second cut, and whatever else a page has from the theme's own files.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import unfold

ROOT = Path(__file__).parent.parent
THEME = Path(unfold.__file__).parent
OURS = ROOT / "backoffice/desk/static"
FONTS = "unfold/fonts"
ICONS = "material-symbols/Material-Symbols-Outlined.woff2"
NAMES = OURS / "backoffice/icons.js"
WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")
LETTERS = {
    "Latin": [*range(0x20, 0x180), *range(0x2010, 0x2030), 0x20AC, *range(0x2190, 0x2194), 0x2212],
    "Europe": [*range(0x180, 0x250), *range(0x370, 0x400), *range(0x400, 0x460), 0x490, 0x491],
}
FEATURES = ["kern", "locl", "tnum"]


def sources() -> Iterator[Path]:
    for folder in (THEME, ROOT / "backoffice", ROOT / "records"):
        yield from (path for path in folder.rglob("*") if path.suffix in (".html", ".py", ".js") and path != NAMES)


def named() -> set[str]:
    """Every word that may be an icon's name: alone between quotes, or between tags."""
    texts = [path.read_text() for path in sources()]
    words = {word for text in texts for word in re.findall(r"""[>"']\s*([a-z0-9_]+)\s*(?=[<"'{])""", text)}
    return words.union(*map(drawn, texts))


def drawn(text: str) -> set[str]:
    """Icons that a class of the theme draws, as the tick of a box."""
    return {name.replace("\\", "") for name in re.findall(r"content-\['([a-z0-9_\\]+)'\]", text)}


def shown() -> set[str]:
    """Icons that stand in a template, or in a list of links, or are drawn by a class."""
    found = set()
    for path in sources():
        found |= drawn(path.read_text())
        pattern = (
            r"material-symbols-outlined[^>]*>\s*([a-z0-9_]+)\s*<" if path.suffix == ".html" else r'"icon": "(\w+)"'
        )
        found |= set(re.findall(pattern, path.read_text()))
    return found


def held() -> set[str]:
    """Icons in our own font."""
    return set(re.findall(r'"([a-z0-9_ ]+)"', NAMES.read_text())[0].split())


def icons_of(font: Any) -> dict[str, str]:
    """Each icon's glyph by its name, which is the letters that become it."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    tables = [
        getattr(table, "ExtSubTable", table) for each in font["GSUB"].table.LookupList.Lookup for table in each.SubTable
    ]
    return {
        "".join(letters.get(glyph, "?") for glyph in (first, *found.Component)): found.LigGlyph
        for table in tables
        for first, ligatures in getattr(table, "ligatures", {}).items()
        for found in ligatures
    }


def cut(font: str, name: str, *, features: Iterable[str], closure: bool, **kept: Any) -> None:
    from fontTools import subset  # type: ignore[import-not-found, unused-ignore]

    options = subset.Options(flavor="woff2", hinting=False, layout_features=[*features], layout_closure=closure)
    loaded = subset.load_font(THEME / "static" / FONTS / font, options)
    cutter = subset.Subsetter(options)
    cutter.populate(**kept)
    cutter.subset(loaded)
    subset.save_font(loaded, OURS / FONTS / name, options)


def main() -> None:
    from fontTools.ttLib import TTFont  # type: ignore[import-not-found, unused-ignore]

    icons = icons_of(TTFont(THEME / "static" / FONTS / ICONS))
    names = sorted(named() & icons.keys())
    text = "abcdefghijklmnopqrstuvwxyz0123456789_ "
    cut(
        ICONS,
        "material-symbols/icons.woff2",
        features=["*"],
        closure=False,
        text=text,
        glyphs=[icons[name] for name in names],
    )
    for weight, (name, letters) in product(WEIGHTS, LETTERS.items()):
        font = f"inter/Inter-{weight}"
        cut(f"{font}.woff2", f"{font}-{name}.woff2", features=FEATURES, closure=True, unicodes=letters)
    script = NAMES.read_text()
    NAMES.write_text(re.sub(r'"[a-z0-9_ ]*"', f'"{" ".join(names)}"', script, count=1))


if __name__ == "__main__":
    main()
