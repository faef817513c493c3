"""The Celery application: a doorbell, nothing more.

Owns the transport's settings, what a forked child inherits, and the word that the worker is
stopping.  A message carries no content and may be lost, doubled or late: the outbox in the
database is the only record (trust.md).  Refuses a result backend, pickles, eta and countdown.
celery stays at 5.6.3 until the fault named in docs/adr/0004 is gone.
"""

from __future__ import annotations

import mmap
import os
import ssl
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# `bin/serve check` runs the system checks; here they would load every page's code into each
# worker and delay its return after a crash.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

import django  # the settings' name must be set first
from django.apps import apps

if not apps.ready:
    django.setup()

from django.conf import settings

from workers.transport import PatientAMQP

app = Celery("tsunagari", amqp=PatientAMQP)
app.conf.update(
    broker_url=settings.REDIS_URL,
    # kombu would accept any certificate behind rediss://.
    broker_use_ssl=(
        {"ssl_cert_reqs": ssl.CERT_REQUIRED} if settings.REDIS_URL.startswith("rediss:") else None
    ),
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    task_soft_time_limit=540,
    task_time_limit=570,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "max_retries": 0,
    },
    beat_scheduler="workers.beat:DoorbellScheduler",
    beat_max_loop_interval=1,
    beat_schedule={
        "bell": {
            "task": "workers.bell", "schedule": 1.0, "options": {"expires": 30, "retry": False},
        },
    },
    timezone="Asia/Tokyo",
    imports=["workers.tasks"],
)


_inherited: list[Any] = []


@worker_process_init.connect
def fresh_connections(**_: Any) -> None:
    """A forked child opens its own database connections and leaves the parent's alone.

    What was inherited is neither used nor closed here: SQLite forbids both after a fork, and
    closing a PostgreSQL connection would end the parent's session.  Runs before Celery's own
    handler, which then finds nothing to close.
    """
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        pools = getattr(connection, "_connection_pools", {})
        _inherited.extend((connection.connection, *pools.values()))
        pools.clear()
        connection.connection = None
        connection.close()


#: One byte that the worker shares with its children: Celery tells only the parent that it stops.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _stopping[0] = 1


def stopping() -> bool:
    """Whether the worker was asked to stop: finish the row at hand, take no other."""
    return bool(_stopping[0])
