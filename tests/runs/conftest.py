import pytest

from tests.factories import user


@pytest.fixture
def clerk(client):
    client.force_login(user("second.view_invoice", "second.change_invoice", username="clerk"))
    return client
