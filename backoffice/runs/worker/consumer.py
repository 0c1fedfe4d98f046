"""The worker's consumer: a Redis that goes away ends neither the worker nor what its children had in hand."""

from typing import Any

from celery.exceptions import InvalidTaskError
from celery.utils.log import get_logger
from celery.worker.consumer import Consumer

from backoffice.results.message import known

logger = get_logger(__name__)


class SteadyConsumer(Consumer):
    """Celery's, which ends the whole worker where a lost connection meets a race of its own.

    What it held would come again after the visibility timeout only, more than an hour: it is restored on return.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A channel half closed (kombu #582) and a child that ends meanwhile (celery #9250) raise these: connect again.
        self.connection_errors += (AttributeError, ValueError)
        self._held: list[str] = []

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        self._hold()
        try:
            super().on_connection_error_after_connected(exc)
        except self.connection_errors:
            # Closing failed, and the connection is forgotten: the second time restores the tasks.
            logger.debug("The lost connection could not be closed.", exc_info=True)
            super().on_connection_error_after_connected(exc)

    def on_ready(self) -> None:
        super().on_ready()
        self._restore()

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's, but what a message does to it is that message's end: it never counts as a lost connection."""
        handle = super().create_task_handler(*args, **kwargs)

        def on_task_received(message: Any) -> Any:
            try:
                return handle(message)
            except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as exc:
                return self.on_invalid_task(None, message, exc)

        return on_task_received

    def on_unknown_message(self, body: Any, message: Any) -> None:
        super().on_unknown_message(body, message)
        self._tell(message, InvalidTaskError("The message names no task."))

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        with known.calls(known.of_message(message)):
            super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Rejected, and told: its caller would wait for ever."""
        super().on_invalid_task(body, message, exc)
        self._tell(message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        super().on_decode_error(message, exc)
        self._tell(message, exc)

    def _tell(self, message: Any, exc: Exception) -> None:
        for task_id, call in known.of_message(message).items():
            try:
                self.app.backend.mark_as_failure(task_id, exc, request=call)
            except Exception:
                logger.exception("It could not be kept that the message of %s was refused.", task_id)

    def _hold(self) -> None:
        """Remember what is not acknowledged. Closing the channel would try to restore it into the lost connection."""
        if self.task_consumer and (channel := self.task_consumer.channel):
            qos = channel.qos
            self._held += [tag for tag in qos._delivered if tag not in qos._dirty]
            qos._delivered.clear()  # once only: a message keeps its tag wherever it goes next

    def _restore(self) -> None:
        if self._held:
            logger.info("Restoring %s messages held when the connection was lost.", len(self._held))
        while self._held:
            self.task_consumer.channel.qos.restore_by_tag(self._held[-1], leftmost=True)
            self._held.pop()
