"""Static files are fetched once, under names that change with them, and compressed; pages leave compressed too."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client
from whitenoise.middleware import WhiteNoiseMiddleware

from backoffice.front import static_files
from backoffice.front.static_files import HashedFiles
from tests.desk import factories
from tests.factories import user

STYLE = "backoffice/desk.css"


@pytest.mark.once
def test_what_is_collected_has_a_hash_in_its_name_is_compressed_and_kept_for_ever(tmp_path: Path, settings, rf):
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path, False
    assert not static_files.is_collected()
    call_command("collectstatic", "--no-input", verbosity=0)
    static_files.note_collected()
    assert static_files.is_collected()
    url = HashedFiles().url(STYLE)
    assert url.startswith("/static/backoffice/desk.")
    assert url != f"/static/{STYLE}"
    server = WhiteNoiseMiddleware(lambda request: None)
    answer = server(rf.get(url, headers={"accept-encoding": "gzip"}))
    assert answer["Content-Encoding"] == "gzip"
    assert "immutable" in answer["Cache-Control"]
    (tmp_path / static_files.STAMP).write_text("of yesterday")
    assert not static_files.is_collected()


def test_what_nobody_has_collected_keeps_its_name():
    assert staticfiles_storage.url(STYLE) == f"/{settings.STATIC_URL.strip('/')}/{STYLE}"


@pytest.mark.django_db
def test_pages_leave_compressed_and_files_as_they_are(client: Client):
    client.force_login(user(is_superuser=True))
    zipped = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert client.get("/admin/runs/run/", **zipped)["Content-Encoding"] == "gzip"
    pack = client.get(f"/admin/desk/evidence/{factories.run(requester=user()).pk}/", **zipped)
    assert "Content-Encoding" not in pack.headers
    assert ZipFile(BytesIO(b"".join(pack.streaming_content))).testzip() is None
