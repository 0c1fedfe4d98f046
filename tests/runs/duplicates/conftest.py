from typing import Any

import pytest

from backoffice.runs.duplicates import apart
from tests import factories
from tests.second.models import Invoice


@pytest.fixture
def pair(transactional_db: None) -> tuple[Invoice, Invoice]:
    """Two invoices of one number, as a person would say."""
    return invoice("2026/17"), invoice("2026 17")


def invoice(number: str, **fields: Any) -> Invoice:
    return Invoice.objects.create(number=number, net=1, **fields)


def set_apart(one: Any, other: Any, reason: str = "One is a copy of last year's.") -> Any:
    user = factories.user()
    return apart.decide(type(one), one.pk, other.pk, user, reason, apart.seen(one, other))
