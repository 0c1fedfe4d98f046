"""Take the README's pictures from the running app:  make run  in one terminal,  make screenshots  in another."""

import re
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.page import chromium, watched_page

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
OF_A_MACHINE = re.compile(r"(?<![\w.:/])/(?:tmp|home|root|var|srv|opt|usr|Users)/[\w.-]+")
COUNTED_AGAIN = 35_000  # ms, after which a worker has looked at what waits
LIST = "/admin/records/yourmodel/"


def picture(page: Page, name: str, *, drawn_anew: bool = False) -> None:
    """In both themes; a chart is drawn in the colours of the one that the page was opened in."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        if drawn_anew:
            page.reload()
        page.evaluate(f"document.documentElement.classList.toggle('dark', {str(theme == 'dark').lower()})")
        page.wait_for_timeout(700)  # until what moves has come to rest
        if path := OF_A_MACHINE.search(page.inner_text("body")):
            raise SystemExit(f"Not taken: {page.url} shows a path of this machine, {path[0]}")
        page.screenshot(path=PICTURES / f"{name}-{theme}.png")
    page.emulate_media(color_scheme="light")


def main(base: str = "http://127.0.0.1:8000") -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, watched_page(browser, base, width=1440) as watched:
        page = watched.sign_in("admin", "backoffice")
        start(watched.open(LIST), "process_selected", everything=True)
        picture(page, "run")
        watched.open(LIST)
        page.get_by_role("link", name=re.compile("^Correctable")).click()
        start(page, "apply_and_check")
        page.get_by_role("link", name="What changed").click()
        picture(page, "changes")
        watched.open(LIST)
        page.get_by_role("link", name=re.compile("^To review")).click()
        for row in range(3):
            page.locator("input.action-select").nth(row).check()
        page.select_option("select[name=action]", "edit_selected")
        picture(page, "select")
        page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
        picture(page, "record")
        watched.open("/admin/django_celery_beat/periodictask/?enabled__exact=1")
        page.get_by_role("link", name="Process what needs it every night").click()
        expect(page.locator("[data-part=firings] tr").first).to_be_visible()
        page.locator("[data-preview]").evaluate("(preview) => preview.scrollIntoView({ block: 'center' })")
        picture(page, "schedule")
        page.wait_for_timeout(COUNTED_AGAIN)
        watched.open("/admin/")
        picture(page, "desk", drawn_anew=True)


def start(page: Page, action: str, *, everything: bool = False) -> None:
    """Run the action over the page of the list that is shown, or over all that match."""
    page.check("#action-toggle")
    if everything:
        page.click(".question a")
    page.select_option("select[name=action]", action)
    page.click("button[name=index]")
    page.locator("#confirm button[type=submit], [data-field=percent]").first.wait_for()
    if page.locator("#confirm").count():
        page.get_by_role("button", name=re.compile("^Start the run")).first.click()
    expect(page.locator("[data-field=percent]")).to_have_text("100 %", timeout=60_000)
    page.reload()


if __name__ == "__main__":
    main(*sys.argv[1:])
