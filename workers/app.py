"""The Celery application: a doorbell, nothing more.

Owns the transport's settings.  A message carries no content and may be lost, doubled or late:
the outbox in the database is the only record (trust.md).  Refuses a result backend, pickles,
eta and countdown.  celery stays at 5.6.3 until the fault named in docs/adr/0004 is gone.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # the settings' name must be set first

if not django.apps.apps.ready:
    django.setup()

from django.conf import settings

app = Celery("tsunagari")
app.conf.update(
    broker_url=settings.REDIS_URL,
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
    beat_schedule={"bell": {"task": "workers.bell", "schedule": 1.0, "options": {"expires": 30}}},
    timezone="Asia/Tokyo",
    imports=["workers.tasks"],
)


@worker_process_init.connect
def _fresh_connections(**_: Any) -> None:
    """A forked child opens its own database connections."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.connection = None
        connection.close()
