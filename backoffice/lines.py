"""One log line for one event, whatever is quoted in it: nobody else's text begins a line or moves the cursor."""

import copy
import logging
import re

# C0 and C1 but the tab, line separators, marks that turn the direction of writing, halves of characters.
UNSEEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
COLOURED = re.compile(r"(\x1b\[[\d;]*m)?(.*?)(\x1b\[0m)?", re.DOTALL)  # as Celery does it on a terminal
CONTINUED = "    | "
LONGEST = 20_000  # characters of an event, and of its traceback: an error may quote a whole file


def cut(text: str) -> str:
    """Its beginning and its end, where it is long: they say what and why."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {len(text) - LONGEST:,} characters … {text[-half:]}"


def escaped(text: str) -> str:
    return UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


class LineFormatter(logging.Formatter):
    """Another formatter's line, escaped; a traceback follows it in lines that cannot be taken for events."""

    def __init__(self, fmt: str | None = None, *, inner: logging.Formatter | None = None) -> None:
        super().__init__(fmt)
        self.inner = inner or logging.Formatter(fmt)

    def format(self, record: logging.LogRecord) -> str:
        bare = copy.copy(record)
        bare.exc_info = bare.exc_text = bare.stack_info = None
        colour, line, end = (part or "" for part in _parts(self.inner.format(bare)))
        more = [text for text in (self._traceback(record), record.stack_info) if text]
        lines = [escaped(each) for text in more for each in cut(text).split("\n")]
        return colour + escaped(cut(line)) + end + "".join(f"\n{CONTINUED}{each}" for each in lines)

    def _traceback(self, record: logging.LogRecord) -> str:
        """None of what was refused to a client: Django tells of a 403 or 400 with thirty lines of its own code."""
        if not record.exc_info or getattr(record, "status_code", 500) < 500:
            return ""
        return self.inner.formatException(record.exc_info)


def _parts(text: str) -> tuple[str | None, ...]:
    found = COLOURED.fullmatch(text)
    return found.groups() if found else (None, text, None)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "backoffice.lines.LineFormatter", "fmt": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "mail": {"class": "backoffice.errors.ErrorMail", "level": "ERROR"},
    },
    # On the root: Celery puts its own handler there in place of this one, and each line is logged once.
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"backoffice": {"level": "INFO"}, "django": {"handlers": ["mail"]}},
}
