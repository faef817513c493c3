"""Recompute every seal of the access log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config import console
from registry import access, audit


class Command(console.Command):
    """`verify_log [--json]`: exit 1 when a record was changed, removed, added or moved."""

    help = "アクセス記録の封印をすべて計算しなおし、書きかえがないことを確かめます。"
    changes = False

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with access.system(at=at, reason="command verify_log"):
            found = audit.verify()
        figures = {"entries": found.entries, "seals": found.seals, "unsealed": found.unsealed,
                   "broken": list(found.broken), "head": found.head}
        lines = [f"記録 {found.entries} 件・封印 {found.seals} 個・未封印 {found.unsealed} 件"]
        lines += list(found.broken) or ["異常はありません。"]
        return console.Outcome(figures, lines, console.FAILED if found.broken else console.OK)
