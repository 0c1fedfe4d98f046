"""The worker's consumer: a Redis that goes away ends neither the worker nor what its children had in hand."""

from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer

logger = get_logger(__name__)


class SteadyConsumer(Consumer):
    """Celery's, which ends the whole worker where a lost connection meets a race of its own.

    What it held would come again after the visibility timeout only, more than an hour: it is given back on return.
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
            # Closing failed, and the connection is forgotten: the second time hands the tasks back.
            logger.debug("The lost connection could not be closed.", exc_info=True)
            super().on_connection_error_after_connected(exc)

    def on_ready(self) -> None:
        super().on_ready()
        self._give_back()

    def _hold(self) -> None:
        """Remember what is not acknowledged. Closing the channel would try to restore it into the lost connection."""
        if self.task_consumer and (channel := self.task_consumer.channel):
            qos = channel.qos
            self._held += [tag for tag in qos._delivered if tag not in qos._dirty]
            qos._delivered.clear()  # once only: a message keeps its tag wherever it goes next

    def _give_back(self) -> None:
        if self._held:
            logger.info("Giving back %s messages held when the connection was lost.", len(self._held))
        while self._held:
            self.task_consumer.channel.qos.restore_by_tag(self._held[-1], leftmost=True)
            self._held.pop()
