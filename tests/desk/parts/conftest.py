import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import user


@pytest.fixture
def boss(client: Client) -> User:
    boss = user(is_superuser=True, username="boss")
    client.force_login(boss)
    return boss
