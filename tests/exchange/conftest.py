import pytest

from tests import factories


@pytest.fixture
def operator(client):
    client.force_login(factories.member("Operator"))
    return client
