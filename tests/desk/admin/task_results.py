"""Where task results are seen, for tests."""

from django.test import Client
from django_celery_results.models import TaskResult

LIST = "/admin/django_celery_results/taskresult/"


def page(client: Client, row: TaskResult) -> str:
    answer = client.get(f"{LIST}{row.pk}/change/")
    assert answer.status_code == 200
    return answer.text
