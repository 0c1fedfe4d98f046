"""Settings, one file, read from the environment. `.env.example` lists every variable."""

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import global_settings
from django.urls import reverse_lazy
from kombu.entity import Exchange, Queue

from backoffice import email_url, private, queues, redis_url
from backoffice.refused import Refused, reading

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("BACKOFFICE_VAR", BASE_DIR / "var"))
with reading("BACKOFFICE_VAR"):
    private.folder(VAR)


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, str(default)).strip().lower()
    if value not in {"1", "true", "yes", "on", "0", "false", "no", "off", ""}:
        raise Refused(f"{name}={value!r} is neither yes nor no: write 1 or 0.")
    return value in {"1", "true", "yes", "on"}


def proxies() -> int:
    """How many proxies stand before the web process, each adding to X-Forwarded-For; "yes" is one."""
    given = os.environ.get("DJANGO_BEHIND_PROXY", "").strip()
    return int(given) if given.isdecimal() else int(flag("DJANGO_BEHIND_PROXY"))


@reading("BACKOFFICE_VAR")
def secret_key() -> str:
    """The environment's key, or one made once and kept, so that restarts log nobody out."""
    if given := os.environ.get("DJANGO_SECRET_KEY"):
        return given
    path = VAR / "secret_key"
    try:
        # O_EXCL: of several processes starting at once one writes the key and the others read it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


@reading("REDIS_URL")
def redis_database(number: int) -> str:
    """REDIS_URL with its database replaced: messages and results never share one.

    Without it the private Redis of a running `manage.py up` in the same folder, so that a shell beside it just works.
    """
    running = VAR / "redis" / "url"
    url = os.environ.get("REDIS_URL") or (running.read_text().strip() if running.is_file() else "")
    return redis_url.database(url or "redis://127.0.0.1:6379", number)


# --- Django ---------------------------------------------------------------------------------------------------------

SECRET_KEY = secret_key()
DEBUG = flag("DJANGO_DEBUG")
HTTPS = flag("DJANGO_HTTPS")
ALLOWED_HOSTS = [h for h in os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("DJANGO_TRUSTED_ORIGINS", "").split(",") if o]

# Yours. An app is named here and nowhere else: `make lint` takes its types and imports in.
APPS = ["records"]
QUEUES: list[str] = []  # of tasks with a `queue` of their own: `up` starts a worker for each, deploy/ has a unit

INSTALLED_APPS = [
    "backoffice.desk",  # first: its templates go before those of the packages it dresses
    "backoffice.notices",  # likewise
    "backoffice.schedules",
    "backoffice.exchange",
    "backoffice.runs",
    "backoffice.results",
    "backoffice",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "django_celery_beat",
    "django_celery_results",
    *APPS,
]

MIDDLEWARE = [
    "backoffice.front.limits.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backoffice.front.compressed.CompressedPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.desk.people.idle.IdleMiddleware",
    "backoffice.desk.people.sign_in.SignInMiddleware",
    "backoffice.desk.people.kept.KeptMiddleware",
    "backoffice.desk.parts.refusals.RefusalMiddleware",
    "backoffice.runs.pages.back.RedirectMiddleware",
]

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE, LANGUAGES = "en", [("en", "English")]
FORMAT_MODULE_PATH = "backoffice.formats"
TIME_ZONE = "UTC"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
with reading("BACKOFFICE_VAR"):
    STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = global_settings.STORAGES | {"staticfiles": {"BACKEND": "backoffice.front.static_files.HashedFiles"}}
WHITENOISE_USE_FINDERS = True  # what nobody has collected is served from the packages' own files

# --- Security -------------------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # asks for DENY unless the site frames its own pages, as the theme does
SECURE_REFERRER_POLICY = "same-origin"
DEFAULT_EXCEPTION_REPORTER = "backoffice.errors.ErrorReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "backoffice.errors.ErrorFilter"
SESSION_COOKIE_AGE = 8 * 60 * 60  # without a page asked for (desk/people/idle.py)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
PROXIES = proxies()
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],  # Alpine, which the admin theme is built on, evaluates its attributes
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],  # the theme opens "add another" of a related row in a frame of its own
    }
}

BACKOFFICE_URL = email_url.site(os.environ.get("BACKOFFICE_URL", ""), CSRF_TRUSTED_ORIGINS, ALLOWED_HOSTS, HTTPS)
DEFAULT_FROM_EMAIL = email_url.sender(os.environ.get("EMAIL_FROM", ""), BACKOFFICE_URL)
with reading("EMAIL_URL"):
    globals().update(email_url.settings(os.environ.get("EMAIL_URL", "")))

# --- Database -------------------------------------------------------------------------------------------------------


@reading("DATABASE_URL")
def database() -> dict[str, Any]:
    config: dict[str, Any] = dict(
        dj_database_url.parse(os.environ.get("DATABASE_URL") or f"sqlite:///{VAR}/db.sqlite3")
    )
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        # Writers queue up instead of failing: measured with 6 processes, the defaults failed 163 of 360 operations.
        options |= {
            "factory": private.PrivateFile,
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        if os.environ.get("BACKOFFICE_PROCESS") != "web":
            config["CONN_MAX_AGE"] = None
        return config
    # PostgreSQL compiled a question of 35 ms for 4.4 s. `?options=` of the URL says otherwise, for a pooler, say.
    options.setdefault("options", "-c jit=off")
    if os.environ.get("BACKOFFICE_PROCESS") == "web":
        options |= {"pool": {"min_size": 1, "max_size": 8, "timeout": 5}}
        config["CONN_MAX_AGE"] = 0
    else:
        config["CONN_MAX_AGE"] = None
        config["CONN_HEALTH_CHECKS"] = True  # a restarted server costs a worker nothing but a look before each task
    return config


DATABASES = {"default": database()}

# --- Celery ---------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = redis_database(0)
CELERY_RESULT_BACKEND = redis_database(1)
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True

CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True  # who wants no result wants to know of an error
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_TASK_SOFT_TIME_LIMIT = 29 * 60
CELERY_TASK_ANNOTATIONS = ["backoffice.results.message.limits:SoftFollowsHard"]
# A long task holds up neither a run nor the sweep.
CELERY_TASK_DEFAULT_QUEUE = queues.TASKS
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in (*queues.ALL, *QUEUES)]
CELERY_TASK_ROUTES = {"backoffice.*.tasks.*": {"queue": queues.CONTROL}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_CONSUMER = "backoffice.runs.worker.consumer:SteadyConsumer"
# Celery closes the database's connections before and after each task, whatever CONN_MAX_AGE says, unless so many tasks
# may use them. Whether they still live is looked at before each (runs/worker/main_process.py).
CELERY_DB_REUSE_MAX = 1_000
CELERY_WORKER_LOST_WAIT = 3.0  # seconds from a child's death to the release of what it held; Celery waits 10
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0

# A click must be answered when Redis is not there (under 1 s) and when it hangs (under 5 s).
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a Redis that is full refuses commands: workers wait, and do not end
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Counts from receipt, so it must be longer than the longest task twice over.
    "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT + 600,
    "socket_connect_timeout": 1,
    "socket_timeout": 3,
    # One try per publish: kombu's second one comes after 2 s. Workers reconnect by rules of their own.
    "max_retries": 0,
}

CELERY_RESULT_EXPIRES = 24 * 60 * 60
CELERY_RESULT_EXTENDED = True
CELERY_REDIS_SOCKET_CONNECT_TIMEOUT = 1
CELERY_REDIS_SOCKET_TIMEOUT = 3
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {
    "retry_policy": {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}
}

CELERY_BEAT_SCHEDULER = "backoffice.schedules.beat.scheduler:SteadyScheduler"
CELERY_BEAT_SYNC_EVERY = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Back office ----------------------------------------------------------------------------------------------------

RUNS_LEASE_SECONDS = 30
RUNS_CONFIRM_ABOVE = 1_000  # a selection larger than this is confirmed on a page of its own
RUNS_REASON = ""  # of tasks that do not say so themselves: "required" or "optional", why somebody starts one

# Of lists that keep django-import-export's own admin: nobody imports or exports there without these permissions.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
RECORDS_IMPORT_MAX_BYTES = 20 * 1024 * 1024
RECORDS_IMPORT_MAX_ROWS = 20_000  # a preview of 20,000 rows takes half a second, writing them four to ten

# The largest body a request may have, in bytes: what is announced larger is refused before it is read.
FRONT_BODY_BYTES_ELSEWHERE = 2_621_440  # as Django's for forms
FRONT_BODY_BYTES = {
    r"/admin/login/$": 64 * 1024,
    r"/import/$": RECORDS_IMPORT_MAX_BYTES + 64 * 1024,  # and the form around it
}

# --- Look -----------------------------------------------------------------------------------------------------------

from backoffice.desk.theme import UNFOLD  # noqa: E402, F401 - the admin theme reads it from here
from backoffice.lines import LOGGING  # noqa: E402, F401
