import pytest

from tests import factories


@pytest.fixture
def operator(client):
    client.force_login(user := factories.member("Operator"))
    client.user = user
    return client


@pytest.fixture
def auditor(client):
    client.force_login(factories.member("Auditor"))
    return client


@pytest.fixture
def outsider(client):
    client.force_login(factories.user())
    return client
