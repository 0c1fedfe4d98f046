"""The pages of the admin on a full database: milliseconds and queries of each."""

import statistics
import time
from typing import Any

TIMES = 5


def measure(client: Any) -> list[dict[str, Any]]:
    """Each page once to load what it needs, once to count its queries, then for the time."""
    return [{"page": name, **_page(client, url)} for name, url in _pages().items()]


def _page(client: Any, url: str) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _get(client, url)
    with CaptureQueriesContext(connection):
        _get(client, url)
        asked = len(connection.queries_log)  # each request begins a new log
    seconds = [_get(client, url) for _ in range(TIMES)]
    return {"ms": statistics.median(seconds) * 1e3, "most_ms": max(seconds) * 1e3, "queries": asked}


def _get(client: Any, url: str) -> float:
    begun = time.perf_counter()
    response = client.get(url)
    _content = response.content
    seconds = time.perf_counter() - begun
    if response.status_code != 200:
        raise SystemExit(f"{url} answered {response.status_code}")
    return seconds


def _pages() -> dict[str, str]:
    from django_celery_results.models import TaskResult

    from backoffice.runs.models import Run
    from records.models import YourModel

    run = Run.objects.order_by("-total").first()
    record = YourModel.objects.latest("pk")
    result = TaskResult.objects.latest("pk")
    assert run
    records, results = "/admin/records/yourmodel/", "/admin/django_celery_results/taskresult/"
    return {
        "desk": "/admin/",
        "records": records,
        "records, not processed": f"{records}?processed__exact=0",
        "records, one verdict": f"{records}?verdict=invalid",
        "records, one country": f"{records}?country=DE",
        "records, one role": f"{records}?role__exact=buyer",
        "records, one issue": f"{records}?issue=phone.format",
        "records, an issue nobody has": f"{records}?issue=role.unknown",
        "records, a verdict and a country": f"{records}?verdict=invalid&country=DE",
        "records, found by reference": f"{records}?q={record.reference}",
        "records, found by a common word": f"{records}?q=gmbh",
        "records, found by two words": f"{records}?q=berlin+gmbh",
        "records, found by a word and a verdict": f"{records}?q=gmbh&verdict=invalid",
        "records, not found": f"{records}?q=qqqzzz",
        "records, found by one letter": f"{records}?q=a",
        "records by name": f"{records}?o=2",
        "records by verdict": f"{records}?o=5",
        "records, last processed first": f"{records}?o=-8",
        "records, the last page": f"{records}?p={-(-YourModel.objects.count() // 50)}",
        "a record": f"{records}{record.pk}/change/",
        "a record's timeline": f"/admin/desk/timeline/records.yourmodel/{record.pk}/",
        "runs": "/admin/runs/run/",
        "a run": f"/admin/runs/run/{run.pk}/change/",
        "a run, the failed": f"/admin/runs/run/{run.pk}/change/?state=FAILURE",
        "a run's progress": f"/admin/runs/run/{run.pk}/progress/",
        "task results": results,
        "task results, the failed": f"{results}?state=FAILURE",
        "task results of a task": f"{results}?task=records.tasks.process_model_instance",
        "task results, found by id": f"{results}?q={result.task_id}",
        "a task result": f"{results}{result.pk}/change/",
        "failures": "/admin/desk/failures/",
        "activity": "/admin/results/activity/",
        "schedules": "/admin/django_celery_beat/periodictask/",
    }
