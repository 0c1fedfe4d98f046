import pytest

from .staff import person


@pytest.fixture
def clerk(client):
    user = person("clerk", "second.view_invoice", "second.change_invoice")
    client.force_login(user)
    return client
