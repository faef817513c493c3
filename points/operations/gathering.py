"""Scans that arrive at the same moment are recorded together: one transaction for all of them.

Owns the one thread of a web process that records for the others: while it waits for the disk,
the next scans gather, and go into the next transaction (group commit).  Every caller is looked
up anew, is held to their own rights, and hears only after the commit.  It is the same path:
``recording.record_together``.  Refuses what is not a plain scan of a device: those go the usual
way, alone, and get the same answer.  Off unless ``start`` was called (``config/wsgi.py``).
Source: speed.md, "One scan → points"; P3; trust.md (every request looks at its token).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.utils import timezone

from points.operations.answering import ScanAnswer
from points.operations.recording import Sending, admit, record_together
from points.operations.scanning import ScanRequest
from registry import access
from registry.domain.errors import Forbidden
from registry.domain.roles import Permission
from registry.operations.tokens import authenticate_tokens

log = logging.getLogger(__name__)
LARGEST = 128
PATIENCE = 25.0  # seconds a caller waits; the client then repeats with the same id


@dataclass(eq=False, slots=True)
class _Waiting:
    """One caller: ``done`` is released when ``answer`` is final (None: go the usual way)."""

    token: str
    scan: ScanRequest
    answer: ScanAnswer | None = None
    done: threading.Lock = field(default_factory=threading.Lock)


class TooSlow(OperationalError):
    """The database did not answer in time; nothing is known about the scan but its id."""


_waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
_thread: threading.Thread | None = None
_starting = threading.Lock()
_on = False


def start() -> None:
    """Let this process gather from now on."""
    global _on
    _on = True


def stop() -> None:
    """Let every scan go alone again."""
    global _on
    _on = False


def close() -> None:
    """End the thread and its connection, after what waits now."""
    if _thread is not None and _thread.is_alive():
        _waiting.put(None)
        _thread.join(timeout=PATIENCE)


def record_gathered(*, token: str, scan: ScanRequest) -> ScanAnswer | None:
    """Record one scan of a bearer's device together with whatever else arrives now.

    None when it must go the usual way: nothing gathers here, the token is not good, or its
    holder may see names (and be thanked by one) or may not scan.  Raises ``TooSlow``.
    """
    if not _on:
        return None
    _ensure()
    one = _Waiting(token, scan)
    one.done.acquire()
    _waiting.put(one)
    if not one.done.acquire(timeout=PATIENCE):
        raise TooSlow
    return one.answer


def _ensure() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        with _starting:
            if _thread is None or not _thread.is_alive():
                _thread = threading.Thread(target=_run, name="scans", daemon=True)
                _thread.start()


def _run() -> None:
    """Take what waits, record it, wake the callers; until ``close``."""
    ended = False
    while not ended:
        group = []
        one = _waiting.get()
        while one is not None:
            group.append(one)
            try:
                one = _waiting.get_nowait() if len(group) < LARGEST else None
            except queue.Empty:
                break
        else:
            ended = len(group) < LARGEST
        try:
            if group:
                _record(group)
        except Exception as error:  # noqa: BLE001  # the callers then go the usual way, and say why
            log.warning("gathered scans go alone: %s", type(error).__name__)
            for waited in group:
                waited.answer = None
            _mend()
        finally:
            for waited in group:
                waited.done.release()
    _mend()


def _record(group: Sequence[_Waiting]) -> None:
    """One transaction for the group; again when somebody recorded the same meanwhile."""
    for attempt in (1, 2, 3):
        try:
            _attempt(group)
        except IntegrityError:
            if attempt == 3:
                raise
        else:
            return


def _attempt(group: Sequence[_Waiting]) -> None:
    answers: list[tuple[_Waiting, ScanAnswer]] = []
    with access.system(at=timezone.now(), reason="scan") as wide:
        known = authenticate_tokens(tokens={one.token for one in group}, at=wide.at)
        good = [one for one in group if one.token in known]
        scopes = access.together(callers=[known[one.token] for one in good], wide=wide)
        sendings, senders = [], []
        for one, by in zip(good, scopes, strict=True):
            try:
                admit(by)
            except Forbidden:
                continue
            if not by.may(Permission.SESSIONS_VIEW):
                sendings.append(Sending([one.scan], by, counters=False))
                senders.append(one)
        if sendings:
            recorded = record_together(sendings=sendings, wide=wide)
            answers = [(one, said.results[0])
                       for one, said in zip(senders, recorded, strict=True)]
    for one, answer in answers:  # after the commit
        one.answer = answer


def _mend() -> None:
    """After an error: a broken connection is thrown away, the next group opens another."""
    try:
        connection.close()
    except DatabaseError:
        connection.connection = None
