"""The way to Redis: patient while it is away, and never deaf after it came back.

Owns two corrections of kombu 5.7 that the kill tests asked for.  Pauses between two tries stay
short (kombu's grow to 30 s; trust.md G3 allows 10).  A failed acknowledgement is a broken
connection: Celery only logs it, and when every prefetched bell fails so, the worker believes its
hands are full, asks for no other, and so never notices that the connection is gone.
Refuses nothing; the settings stand in ``app.py``.
"""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis
from kombu.transport.virtual import Message

#: The longest wait between two tries to reach Redis.
RETRY_SECONDS = 3.0


class BellMessage(Message):
    """A message whose failed acknowledgement ends the connection instead of being swallowed."""

    def ack_log_error(self, logger: Any, errors: Any, multiple: bool = False) -> None:
        self.ack(multiple=multiple)


class BellChannel(redis.Channel):
    Message = BellMessage


class BellTransport(redis.Transport):
    Channel = BellChannel


class PatientConnection(Connection):
    """A connection to Redis that tries again every few seconds, however long it was away."""

    def get_transport_cls(self) -> Any:
        found = super().get_transport_cls()
        return BellTransport if found is redis.Transport else found

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        options.setdefault("interval_start", 0.5)
        options.setdefault("interval_step", 0.5)
        options.setdefault("interval_max", RETRY_SECONDS)
        return super()._ensure_connection(*args, **options)


class PatientAMQP(AMQP):
    Connection = PatientConnection
