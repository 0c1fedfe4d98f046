import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import user


@pytest.fixture
def superuser(client: Client) -> User:
    made = user(is_superuser=True)
    client.force_login(made)
    return made
