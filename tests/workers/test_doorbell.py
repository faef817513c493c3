"""Ringing never waits: Redis dead, deaf, or back; one thread a process, also after a fork.

In a process of its own, as a web process is: the bell is on, and nothing else of the tests is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kombu.transport import redis as kombu_redis

from config import programs
from config.supervisor import tie_to_parent
from tests import redisserver
from tests.workers.crew import wait_for

# What a request does when it commits; one line of JSON for each word on standard input.
WEB = """
import json, logging, os, sys, threading, time
import django
django.setup()
from registry import outbox
from workers import doorbell
for word in sys.stdin:
    if word.strip() == "fork":
        pid = os.fork()
        if pid == 0:
            outbox.ring()
            time.sleep(3)
            names = [one.name for one in threading.enumerate()]
            os._exit(0 if names.count("doorbell") == 1 else 1)
        answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    else:
        slowest = 0.0
        for _ in range(int(word)):
            begun = time.perf_counter()
            outbox.ring()
            slowest = max(slowest, time.perf_counter() - begun)
            time.sleep(0.002)
        answer = slowest
    names = [one.name for one in threading.enumerate()]
    print(json.dumps([answer, names.count("doorbell")]), flush=True)
"""


class Web:
    """A process with the bell on."""

    def __init__(self, folder: Path, url: str) -> None:
        self.log = (folder / "web.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", WEB], cwd=programs.ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=tie_to_parent(),
            env=programs.environment(
                os.environ, DJANGO_SETTINGS_MODULE="config.settings", REDIS_URL=url, BELL="1",
                DATA_DIR=str(folder),
            ),
        )  # fmt: skip

    def ask(self, word: str) -> tuple[Any, int]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        answer, threads = json.loads(self.process.stdout.readline())
        return answer, threads


@pytest.fixture
def web(tmp_path: Path) -> Any:
    with redisserver.redis(prefer="wheel") as server:
        made = Web(tmp_path, server.url)
        try:
            yield made, server
        finally:
            made.process.kill()
            made.process.wait()
            made.log.close()


def _bells(server: redisserver.RedisServer) -> int:
    import redis

    with redis.Redis(unix_socket_path=str(server.socket), socket_timeout=5) as client:
        return int(client.llen("celery"))


QUICK = 0.5  # a busy machine's pause, far from the transport's 2 s


def test_a_ring_never_waits_for_redis(web: tuple[Web, Any]) -> None:
    process, server = web
    slowest = {"alive": process.ask("1")[0]}
    wait_for(lambda: _bells(server) >= 1, seconds=30, what="the first bell")
    os.kill(server._process.pid, signal.SIGSTOP)  # takes connections, never answers
    try:
        slowest["deaf"] = process.ask("200")[0]
    finally:
        os.kill(server._process.pid, signal.SIGCONT)
    server.kill()
    slowest["dead"], threads = process.ask("200")
    assert threads == 1
    server.start()

    def rung() -> bool:
        process.ask("1")
        return _bells(server) >= 1

    back = wait_for(rung, seconds=20, what="a bell after Redis came back", every=0.2)
    text = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in slowest.items())
    print(f"\nslowest ring: {text}; rings again {back:.1f} s after Redis is back")
    assert max(slowest.values()) < QUICK and back <= 10
    log = Path(process.log.name).read_text()
    assert "bell not sent" in log and "Traceback" not in log


def test_bells_do_not_pile_up_where_nobody_listens(web: tuple[Web, Any]) -> None:
    from workers.tasks import ENOUGH

    process, server = web
    process.ask("1")
    wait_for(lambda: _bells(server) >= 1, seconds=30, what="the first bell")
    for _ in range(10):
        process.ask("200")
    assert 1 <= _bells(server) <= ENOUGH


def test_a_forked_process_rings_by_a_thread_of_its_own(web: tuple[Web, Any]) -> None:
    process, server = web
    process.ask("1")
    wait_for(lambda: _bells(server) >= 1, seconds=30, what="the first bell")
    before = _bells(server)
    status, threads = process.ask("fork")
    assert (status, threads) == (0, 1) and _bells(server) > before


def test_a_failed_acknowledgement_ends_the_connection() -> None:
    """Celery's own handling only logs it; with every prefetched bell so, a worker stays deaf."""
    from workers import transport
    from workers.app import app

    class Gone:
        no_ack_consumers = None

        def basic_ack(self, tag: str, multiple: bool = False) -> None:
            raise ConnectionError

    message = transport.BellMessage({"properties": {"delivery_tag": "1"}}, Gone())
    with pytest.raises(ConnectionError):
        message.ack_log_error(None, (ConnectionError,))
    for url in ("redis://h/0", "redis+socket:///s"):
        found = app.connection_for_read(url).get_transport_cls()
        assert found is transport.BellTransport and issubclass(found, kombu_redis.Transport)
        assert found.Channel.Message is transport.BellMessage
    assert not issubclass(app.connection_for_read("memory://").get_transport_cls(),
                          kombu_redis.Transport)


def test_the_transport_is_configured_as_the_trust_page_says() -> None:
    from workers.app import app

    conf = app.conf
    assert not conf.task_acks_late and conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"] and not conf.result_backend
    assert conf.task_soft_time_limit < conf.task_time_limit
    assert conf.broker_transport_options["socket_timeout"] == 2
    assert [entry["options"]["expires"] for entry in conf.beat_schedule.values()] == [30]
