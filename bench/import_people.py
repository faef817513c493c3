"""How long 120,000 residents take: stage, apply, and the same file again.

Makes a CP932 file of invented people (見本) on invented addresses and brings it in through the
real import on the database of the environment.  Prints one JSON line with seconds and the peak
of memory.  Goal: two minutes in all on two cores.

    DATA_DIR=/tmp/bench python -m bench.import_people [ROWS]
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

_NAMES = "佐藤 鈴木 髙橋 田中 渡邉 伊藤 山﨑 中村 小林 加藤".split()
_GIVEN = "花子 一郎 太郎 光 静江 正 トメ 勝 幸子 実".split()
_KANA = "サトウ スズキ タカハシ タナカ ワタナベ イトウ ヤマザキ ナカムラ コバヤシ カトウ".split()
_GIVEN_KANA = "ハナコ イチロウ タロウ ヒカル シズエ タダシ トメ マサル サチコ ミノル".split()
TOWNS = [f"見本町{n}丁目" for n in range(1, 41)]


def rows_of(count: int) -> list[dict[str, str]]:
    """``count`` invented residents, the same every time."""
    chance, rows, home = random.Random(20261123), [], 0
    while len(rows) < count:
        home += 1
        family = chance.randrange(10)
        town = chance.choice(TOWNS)
        for _ in range(min(chance.choice((1, 1, 2, 2, 3, 4)), count - len(rows))):
            given, year = chance.randrange(10), chance.randrange(1, 90)
            rows.append({
                "宛名番号": f"{len(rows) + 1:010d}", "世帯番号": f"{home:08d}",
                "氏名": f"{_NAMES[family]}　{_GIVEN[given]}",
                "氏名_フリガナ": f"{_KANA[family]} {_GIVEN_KANA[given]}",
                "生年月日": f"昭和{min(year, 63)}年{chance.randrange(1, 13)}月"
                            f"{chance.randrange(1, 29)}日",
                "性別": str(1 + given % 2), "郵便番号": "9650001",
                "住所": f"会津若松市{town}{chance.randrange(1, 30)}番{chance.randrange(1, 20)}号",
                "方書": "", "町字名": town, "電話番号": f"0242{chance.randrange(100000, 999999)}",
                "転入年月日": "", "転出年月日": "", "死亡年月日": "", "支援措置終了年月日": "",
            })
    return rows


def write_csv(rows: list[dict[str, str]], path: Path) -> None:
    """The file as a Windows system writes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("cp932"))


def main() -> None:
    """Run it against the configured database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("BELL", "0")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from registry import access
    from registry.operations import areas, imports

    call_command("migrate", verbosity=0)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 120_000
    path = Path(tempfile.mkdtemp()) / "residents.csv"
    write_csv(rows_of(count), path)
    figures: dict[str, object] = {"database": connection.vendor, "rows": count}
    with access.system(at=timezone.now(), reason="bench") as by:
        areas.load_towns(towns=[
            areas.TownFacts(town, "", 139.9 + n / 1000, 37.5) for n, town in enumerate(TOWNS)
        ], by=by)
    for name in ("first", "again"):
        started = time.perf_counter()
        with access.system(at=timezone.now(), reason="bench") as by:
            batch = imports.stage(source=path, profile="residents", file_name=path.name, by=by)
        staged = time.perf_counter()
        with access.system(at=timezone.now(), reason="bench") as by:
            done = imports.apply(batch_id=batch.pk, by=by)
        figures[name] = {
            "stage_s": round(staged - started, 1),
            "apply_s": round(time.perf_counter() - staged, 1),
            "new": done.new_count, "same": done.same_count, "ambiguous": done.ambiguous_count,
            "rejected": done.rejected_count,
        }
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
