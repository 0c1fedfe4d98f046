"""A real Chromium, somebody signed in, and a list of what must not happen on a page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1280, 390
TELLING = {"moderate", "serious", "critical"}


def is_there() -> bool:
    return Path(CHROMIUM).exists()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page, and what went wrong on it: script errors, policy violations, requests that leave the site."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.problems.append(f"{self.page.url}: {message.text}")

    def see(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:", "about:")):
            self.problems.append(f"{self.page.url}: asks {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def sign_in(self, name: str, password: str) -> Page:
        self.open("/admin/login/?next=/admin/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.click("#login-form button[type=submit]")
        self.page.wait_for_url(self.base + "/admin/")
        return self.page


@contextmanager
def watched_page(
    browser: Browser, base: str, width: int = WIDE, dark: bool = False, zone: str | None = None
) -> Iterator[Watched]:
    """A page in a context of its own, as wide and as dark as asked, of a reader in that time zone."""
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        color_scheme="dark" if dark else "light",
        timezone_id=zone,
    )
    watched = Watched(context.new_page(), base.rstrip("/"))
    watched.page.on("console", watched.hear)
    watched.page.on("pageerror", lambda error: watched.problems.append(f"{watched.page.url}: {error}"))
    watched.page.on("request", watched.see)
    try:
        yield watched
    finally:
        context.close()


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core calls moderate or worse, one line each, with the elements."""
    return _told(Axe().run(page).response)


def problems_in_both_themes(page: Page) -> list[str]:
    """The same with the sizes of targets, and the contrast of the theme that is not shown."""
    found = _told(Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response)
    page.evaluate("document.documentElement.classList.toggle('dark')")
    page.evaluate(
        "Promise.all(document.getAnimations().filter((e) => e instanceof CSSTransition).map((e) => e.finished))"
    )
    contrast = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    found += [f"the other theme: {each}" for each in _told(Axe().run(page, options=contrast).response)]
    page.evaluate("document.documentElement.classList.toggle('dark')")
    return found


def _told(found: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:160]} ({node.get('failureSummary', '').splitlines()[1:2]})"
        for violation in found["violations"]
        if violation["impact"] in TELLING
        for node in violation["nodes"]
    ]
