"""`bin/bench cards [--cards 500] [--runs 5]`: card sheets in one PDF beside qrcode and segno.

Owns the comparison: our sheets (symbols, layout, PDF/A, the whole way from values to bytes) and
our symbols alone, against the symbols alone of two libraries, alternating in one run on one
processor.  The peers draw no page and no name: the ratio of the sheets is against less work.
Every symbol of the last PDF is rendered at 254 dpi and read by an independent decoder
(zxing-cpp, in the bench's own environment); one that cannot be read fails the run (exit 1).
Peers come from the package index into an environment of the bench's own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # per core is what is measured
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from points.documents.cards import card_sheets  # noqa: E402  # after the threads are set
from points.documents.label_formats import CARD_10, QR_BOX_MM  # noqa: E402
from points.documents.symbols import drawing, symbols  # noqa: E402
from points.documents.values import Card, CardSheet  # noqa: E402
from points.domain.codes import grouped  # noqa: E402
from points.domain.tokens import mint  # noqa: E402

PEERS = Path(tempfile.gettempdir()) / "tsunagari-bench-cards"
PACKAGES = ("qrcode==8.2", "segno==1.6.6", "zxing-cpp==2.3.0", "pillow>=11", "numpy>=2")
NAMES = ("見本　花子", "髙橋　見本", "𠮷田　見本", "渡邉　見本太郎", "山﨑　見本")
PEER = """
import json, sys, time
name, texts = sys.argv[1], json.load(sys.stdin)
if name == "qrcode":
    import qrcode
    def draw(text):
        code = qrcode.QRCode(version=2, error_correction=qrcode.ERROR_CORRECT_M, border=4)
        code.add_data(text, optimize=0)
        code.make(fit=True)
        return code.get_matrix()
else:
    import segno
    def draw(text):
        return segno.make(text, version=2, error="m", boost_error=False).matrix
draw(texts[0])
wall, cpu = time.perf_counter(), time.process_time()
for text in texts:
    draw(text)
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""
READ = """
import json, subprocess, sys
import numpy, zxingcpp
from PIL import Image
given = json.load(sys.stdin)
seen, pages, dot = [], {}, given["dpi"] / 25.4
for page, left, top in given["places"]:
    if page not in pages:
        name = given["folder"] + "/page"
        subprocess.run(["pdftoppm", "-r", str(given["dpi"]), "-gray", "-png", "-f", str(page + 1),
                        "-l", str(page + 1), "-singlefile", given["pdf"], name], check=True)
        pages = {page: Image.open(name + ".png").convert("L")}
    box = [round(v * dot) for v in (left, top, left + given["side"], top + given["side"])]
    found = zxingcpp.read_barcodes(numpy.asarray(pages[page].crop(box)))
    seen.append(found[0].text if len(found) == 1 else "")
print(json.dumps(seen))
"""


def main(argv: list[str]) -> int:
    """Measure, compare, read everything back; the exit code."""
    parser = argparse.ArgumentParser(prog="bin/bench cards")
    parser.add_argument("--cards", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(argv)
    python = _environment()
    cards = _cards(given.cards)
    texts = [one.code for one in cards]
    words = CardSheet(title="ボランティアカード（見本）", municipality="見本市", sample=True,
                      finder="ひろった方は 社会福祉協議会 0242-00-0000 へ")
    at = datetime(2026, 11, 23, tzinfo=UTC)
    pdf = card_sheets(words, cards, created_at=at)  # warm: fonts and tables
    work: dict[str, Callable[[], tuple[float, float]]] = {
        "sheets (PDF)": lambda: _timed(lambda: card_sheets(words, cards, created_at=at)),
        "symbols alone": lambda: _timed(lambda: [drawing(one) for one in symbols(texts)]),
        "qrcode 8.2": lambda: _peer(python, "qrcode", texts),
        "segno 1.6.6": lambda: _peer(python, "segno", texts),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(given.runs):
        for name, once in work.items():
            taken[name].append(once())
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors;"
          f" {given.cards} cards, median of {given.runs} alternating runs, one thread")
    rates = {name: [given.cards / statistics.median(one[at] for one in some) for at in (0, 1)]
             for name, some in taken.items()}
    for name, (wall, cpu) in rates.items():
        print(f"  {name:16} {wall:9.0f} /s wall  {cpu:9.0f} /s CPU")
    for name in ("qrcode 8.2", "segno 1.6.6"):
        for ours in ("sheets (PDF)", "symbols alone"):
            wall, cpu = (rates[ours][at] / rates[name][at] for at in (0, 1))
            print(f"  {ours} / {name}'s symbols: {wall:.1f} x wall, {cpu:.1f} x CPU")
    wrong = _unread(python, pdf, texts)
    print(f"  read back by zxing-cpp after pdftoppm: {given.cards - wrong} of {given.cards}")
    print(f"  target: sheets >= 200 cards/s per core: "
          f"{'met' if rates['sheets (PDF)'][1] >= 200 else 'MISSED'}"
          f" ({rates['sheets (PDF)'][1]:.0f}); {len(pdf) / 1024:.0f} KiB")
    return 1 if wrong else 0


def _cards(count: int) -> list[Card]:
    made = [mint("card", host="T.EXAMPLE.JP") for _ in range(count)]
    return [
        Card(code=one.url, code_text=grouped(one.code), number=f"{n:06d}",
             name=NAMES[n % len(NAMES)], kana="ミホン", programmes=("つながり", "カムカム"))
        for n, one in enumerate(made)
    ]


def _timed(once: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    once()
    return time.perf_counter() - wall, time.process_time() - cpu


def _peer(python: Path, name: str, texts: list[str]) -> tuple[float, float]:
    said = subprocess.run([str(python), "-c", PEER, name], input=json.dumps(texts), text=True,
                          capture_output=True, check=True).stdout
    wall, cpu = json.loads(said)
    return wall, cpu


def _unread(python: Path, pdf: bytes, texts: list[str]) -> int:
    """How many symbols of the PDF the independent reader does not read as they were meant."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cards.pdf"
        path.write_bytes(pdf)
        places = [CARD_10.place(at) for at in range(len(texts))]
        given = {"pdf": str(path), "folder": folder, "dpi": 254, "side": QR_BOX_MM, "places": [
            (page, left + CARD_10.qr_x, top + CARD_10.qr_y) for page, left, top in places]}
        said = subprocess.run([str(python), "-c", READ], input=json.dumps(given), text=True,
                              capture_output=True, check=True).stdout
    return sum(one != text for one, text in zip(json.loads(said), texts, strict=True))


def _environment() -> Path:
    """The peers' own environment, made once."""
    python = PEERS / "bin/python"
    mark = PEERS / "packages.txt"
    if not mark.exists() or mark.read_text() != "\n".join(PACKAGES):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        mark.write_text("\n".join(PACKAGES))
    return python


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
