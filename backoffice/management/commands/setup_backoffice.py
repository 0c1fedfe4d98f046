"""Give a new installation its groups and schedules. Safe to run at every start: what staff changed stays."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backoffice.schedules.seed import seed


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        written = seed(settings.BASE_DIR / "fixtures")
        self.stdout.write(f"Written: {', '.join(written)}." if written else "Nothing to set up: all of it is there.")
