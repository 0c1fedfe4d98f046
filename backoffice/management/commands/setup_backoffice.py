"""Give an installation its groups and schedules. Safe to run at every start: what staff changed stays."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backoffice.desk.people import seeded_groups
from backoffice.schedules import seed

from ..who import who


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        fixtures = settings.BASE_DIR / "fixtures"
        groups, refused = seeded_groups.seed(fixtures / "groups.json", who("setup_backoffice"))
        written = [*groups, *seed.seed(fixtures / "schedules.json")]
        self.stdout.write(f"Written: {', '.join(written)}." if written else "Nothing to set up: all of it is there.")
        for words in refused:
            self.stderr.write(self.style.WARNING(words))
