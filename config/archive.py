"""One sealed file that holds a whole installation: the database and the stored files.

Owns the archive's format and reading it back.  Refuses an archive that was altered, cut short or
made with other keys, and never writes outside the folder it restores to.  The keys are not in
it: without the file or environment that holds them it opens for nobody.  trust.md, "Backup".

Format: magic, then sealed chunks (length ‖ ``registry.sealing.seal`` with the running number and
an end mark in the context) of a tar stream: ``manifest.json``, ``database``, ``files/…``.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from registry.domain.errors import Refused
from registry.sealing import CannotOpen, seal, unseal

MAGIC = b"TSUNAGARI-BACKUP-1\n"
CHUNK = 1 << 20


class BadArchive(Refused):
    """Not one of our archives, altered, cut short, or made with other keys."""

    code = "bad_archive"
    message = "バックアップを開けません。ファイルが壊れているか、鍵がちがいます。"


@dataclass(frozen=True)
class Manifest:
    """What is inside: engine of the database, when it was made, migrations applied."""

    engine: str
    made_at: str
    migrations: list[str]
    log_head: str


class _Sealer(io.RawIOBase):
    """A writable stream that seals what it gets, a chunk at a time."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._buffer, self._number = target, bytearray(), 0
        target.write(MAGIC)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._buffer += piece
        while len(self._buffer) >= CHUNK:
            self._put(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]
        return len(piece)

    def finish(self) -> None:
        self._put(bytes(self._buffer), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        sealed = seal(piece, context=_context(self._number, last))
        self._target.write(len(sealed).to_bytes(4, "big") + (b"\1" if last else b"\0") + sealed)
        self._number += 1


class _Opener(io.RawIOBase):
    """The readable counterpart; raises ``BadArchive`` at the first wrong byte."""

    def __init__(self, source: BinaryIO) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise BadArchive
        self._pieces, self._rest = _opened(source), b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: object) -> int:
        view = memoryview(target)  # type: ignore[arg-type]  # any buffer
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _opened(source: BinaryIO) -> Iterator[bytes]:
    number, last = 0, False
    while not last:
        head = source.read(5)
        if len(head) != 5 or int.from_bytes(head[:4], "big") > CHUNK + 64:
            raise BadArchive
        last = head[4] == 1
        try:
            yield unseal(source.read(int.from_bytes(head[:4], "big")),
                         context=_context(number, last))
        except CannotOpen as error:
            raise BadArchive from error
        number += 1
    if source.read(1):
        raise BadArchive


def _context(number: int, last: bool) -> str:
    return f"backup:{number}:{'end' if last else 'more'}"


def write(target: Path, *, manifest: Manifest, database: Path, files: Path) -> int:
    """Write the archive; returns its size.  Appears under its name only when whole."""
    part = target.with_name(target.name + ".part")
    with part.open("wb") as raw:
        sealer = _Sealer(raw)
        with tarfile.open(fileobj=sealer, mode="w|", bufsize=CHUNK) as tar:
            text = json.dumps(asdict(manifest), ensure_ascii=False).encode()
            entry = tarfile.TarInfo("manifest.json")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
            tar.add(database, "database")
            for path in sorted(files.glob("*/*")) if files.is_dir() else []:
                if path.is_file() and not path.name.startswith("."):
                    tar.add(path, f"files/{path.parent.name}/{path.name}")
        sealer.finish()
    part.chmod(0o600)
    part.replace(target)
    return target.stat().st_size


def read(source: Path, folder: Path) -> Manifest:
    """Unpack into ``folder``: ``database`` and ``files/``; returns the manifest.

    Raises:
        BadArchive: as the class says; what was unpacked until then is to be thrown away.
    """
    try:
        with source.open("rb") as raw:
            stream = io.BufferedReader(_Opener(raw), CHUNK)
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                manifest = _unpack(tar, folder)
            while stream.read(CHUNK):
                pass  # what lies behind the last file must be ours, too
    except (tarfile.TarError, ValueError, TypeError) as error:
        raise BadArchive from error
    if manifest is None:
        raise BadArchive
    return manifest


def _unpack(tar: tarfile.TarFile, folder: Path) -> Manifest | None:
    manifest: Manifest | None = None
    for entry in tar:
        content = tar.extractfile(entry)
        if content is None or not _ours(entry.name):
            raise BadArchive
        if entry.name == "manifest.json":
            manifest = Manifest(**json.loads(content.read()))
            continue
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as target:
            while piece := content.read(CHUNK):
                target.write(piece)
    return manifest


def _ours(name: str) -> bool:
    parts = name.split("/")
    return name in ("manifest.json", "database") or (
        len(parts) == 3 and parts[0] == "files"
        and all(p and set(p) <= set("0123456789abcdef") for p in parts[1:])
    )
