"""Take the README's pictures from the running app:  make run  in one terminal,  make screenshots  in another."""

import sys
from pathlib import Path

from tests.browser.page import chromium, watched_page

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"


def main(base: str = "http://127.0.0.1:8000") -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, watched_page(browser, base, width=1440) as watched:
        page = watched.page

        def picture(name: str) -> None:
            page.wait_for_timeout(500)
            page.screenshot(path=PICTURES / f"{name}.png")

        watched.sign_in("admin", "backoffice")
        watched.open("/admin/records/yourmodel/")
        page.check("#action-toggle")
        page.click(".question a")
        page.select_option("select[name=action]", "process_selected")
        picture("select")
        page.click("button[name=index]")
        page.get_by_role("button", name="Start the run").click()
        page.wait_for_timeout(700)
        picture("run")
        page.locator("[data-field=percent]", has_text="100 %").wait_for(timeout=60_000)
        page.goto(base + "/admin/records/yourmodel/?verdict=review")
        page.locator("#result_list tbody th a, #result_list tbody td a").first.click()
        page.locator(".record-notes").first.scroll_into_view_if_needed()
        picture("record")
        watched.open("/admin/")
        picture("desk")
        watched.open("/admin/django_celery_results/taskresult/")
        picture("results")
        watched.open("/admin/django_celery_beat/periodictask/")
        picture("schedules")


if __name__ == "__main__":
    main(*sys.argv[1:])
