"""A load generator that costs little: closed loop, keep-alive, one process, epoll.

Owns sending prepared HTTP requests over N connections and what came back: how many, how fast,
which statuses, and the processor seconds of this process and of the process trees it is told
to watch.  Refuses nothing.  The generator's own share is printed beside every figure.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def tree(pids: Iterable[int]) -> set[int]:
    """The processes and all below them."""
    below: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        below.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(path.parts[2]))
    found, waiting = set(), list(pids)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += below.get(one, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor seconds of the process trees so far, ended and awaited children included."""
    total = 0
    for pid in tree(pids):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / _TICK


@dataclass
class Outcome:
    """One run.  ``latencies`` in seconds, unordered; ``bodies`` only when asked for."""

    seconds: float = 0.0
    server_cpu: float = 0.0
    own_cpu: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers with status 200 in a second."""
        return self.statuses[200] / self.seconds if self.seconds else 0.0

    @property
    def cpu_each(self) -> float:
        """Milliseconds of the servers' processors for each good answer."""
        return 1000 * self.server_cpu / max(1, self.statuses[200])

    def quantile(self, part: float) -> float:
        """Milliseconds within which this part of the answers came."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def post(path: str, body: bytes, headers: dict[str, str], host: str = "127.0.0.1") -> bytes:
    """One prepared request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Line:
    """One connection with the request it waits for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self._open()
        self.begun, self.buffer, self.sent = 0.0, b"", b""

    def _open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, request: bytes) -> None:
        self.begun, self.buffer, self.sent = time.perf_counter(), b"", request
        self.socket.sendall(request)

    def read(self) -> tuple[int, bytes, bool] | None:
        """Status, body and whether the server closes, when the answer is whole."""
        piece = self.socket.recv(65536)
        self.buffer += piece
        head, gap, body = self.buffer.partition(b"\r\n\r\n")
        if not gap:
            if not piece:
                raise ConnectionError("closed in the middle of an answer")
            return None
        lower = head.lower()
        place = lower.find(b"content-length:")
        closes = b"connection: close" in lower
        if place >= 0:
            length = int(lower[place + 15:].split(b"\r\n", 1)[0])
            if len(body) < length:
                return None
        elif b"transfer-encoding: chunked" in lower:
            if not body.endswith(b"0\r\n\r\n"):
                return None
        elif piece:
            return None
        return int(head[9:12]), body, closes or not piece


def run(
    requests: Iterator[bytes], *, port: int, clients: int, seconds: float = 0.0,
    watch: Iterable[int] = (), keep: bool = False,
) -> Outcome:
    """Send until the requests or the seconds (0: no limit) are over; then wait for the last."""
    out, watched = Outcome(), list(watch)
    chosen = selectors.DefaultSelector()
    before, own = cpu_seconds(watched), time.process_time()
    begun = time.perf_counter()
    until = begun + seconds if seconds else float("inf")
    for _ in range(clients):
        request = next(requests, None)
        if request is None:
            break
        line = _Line(port)
        chosen.register(line.socket, selectors.EVENT_READ, line)
        line.send(request)
    while chosen.get_map():
        ready = chosen.select(timeout=600)
        if not ready:
            raise TimeoutError("no answer within ten minutes")
        for key, _ in ready:
            line = key.data
            answer = line.read()
            if answer is None:
                continue
            now = time.perf_counter()
            out.latencies.append(now - line.begun)
            out.statuses[answer[0]] += 1
            if keep:
                out.bodies.append(answer[1])
            request = next(requests, None) if now < until else None
            if request is None or answer[2]:
                chosen.unregister(line.socket)
                line.socket.close()
            if request is not None:
                if answer[2]:
                    line = _Line(port)
                    chosen.register(line.socket, selectors.EVENT_READ, line)
                line.send(request)
    out.seconds = time.perf_counter() - begun
    out.own_cpu = time.process_time() - own
    out.server_cpu = cpu_seconds(watched) - before
    return out


def summary(name: str, out: Outcome) -> str:
    """One line about a run."""
    wrong = {code: n for code, n in out.statuses.items() if code != 200}
    return (f"{name:<34} {out.rate:8.0f}/s  p50 {out.quantile(.5):6.1f} ms  p99"
            f" {out.quantile(.99):7.1f} ms  cpu {out.cpu_each:7.3f} ms"
            f"  generator {out.own_cpu / max(out.seconds, 1e-9):4.0%}"
            + (f"  other answers: {wrong}" if wrong else ""))
