"""The pages that say no."""

import pytest

from tests.factories import user

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_what_is_not_there_is_said_in_words_and_leads_back(client):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content
    assert b'href="/admin/"' in answer.content


def test_what_is_not_allowed_is_said_to_have_changed_nothing(client):
    client.force_login(user(username="clerk"))
    answer = client.get("/admin/auth/user/")
    assert answer.status_code == 403
    assert b"Nothing was changed" in answer.content
