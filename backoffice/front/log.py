from typing import Any

from gunicorn.glogging import Logger

from backoffice.lines import LineFormatter


class LineLogger(Logger):
    """gunicorn quotes what clients send, headers it refuses among them."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            if not isinstance(handler.formatter, LineFormatter):
                handler.setFormatter(LineFormatter(inner=handler.formatter))
