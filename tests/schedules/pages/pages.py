"""What a browser would send for a page's form that nobody touched."""

from html.parser import HTMLParser
from typing import Any


class Filled(HTMLParser):
    """The successful controls of the form that holds a control called `name`, as HTML defines them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.area: tuple[str, list[str]] | None = None
        self.select: str = ""
        self.several = False  # may be chosen of it

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        name, value = found.get("name") or "", found.get("value")
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and name and "disabled" not in found:
            self.input(name, value, found)
        elif tag == "textarea" and name:
            self.area = (name, [])
        elif tag == "select":
            self.select, self.several = name, "multiple" in found
        elif tag == "option" and self.select:
            self.option(value or "", "selected" in found)

    def option(self, value: str, is_selected: bool) -> None:
        if self.several and is_selected:
            self.forms[-1].setdefault(self.select, []).append(value)
        elif not self.several and (is_selected or self.select not in self.forms[-1]):
            self.forms[-1][self.select] = value

    def input(self, name: str, value: str | None, found: dict[str, str | None]) -> None:
        kind = found.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in found:
                self.forms[-1][name] = "on" if value is None else value
        elif kind not in ("submit", "button", "file"):
            self.forms[-1][name] = value or ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            name, parts = self.area
            text = "".join(parts).removeprefix("\r").removeprefix("\n")
            self.forms[-1][name] = text.replace("\r\n", "\n").replace("\n", "\r\n")
            self.area = None
        elif tag == "select":
            self.select = ""


def untouched(page: str, name: str) -> dict[str, Any]:
    parser = Filled()
    parser.feed(page)
    return next(form for form in parser.forms if name in form)
