"""The web process."""

import os

# Read by settings.py: connections are pooled in the web process only (a pool does not survive a worker's fork).
os.environ.setdefault("BACKOFFICE_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402
from gunicorn.errors import AppImportError  # noqa: E402

from backoffice.front.letters import only_utf8  # noqa: E402
from backoffice.refused import Refused  # noqa: E402

try:
    application = only_utf8(get_wsgi_application())
except Refused as refusal:
    raise AppImportError(str(refusal)) from None  # gunicorn says it and ends; who only exits is started again for ever
