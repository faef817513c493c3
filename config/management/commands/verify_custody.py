"""Account for every copy of a roster."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from config import console
from evacuation.operations import custody
from registry import access


class Command(console.Command):
    """`verify_custody [--json]`: exit 1 unless issued = held + returned + destroyed + lost."""

    help = "名簿の副本を、版・記録・現在の三つから数えなおし、行方を確かめます。"
    changes = False

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        with access.system(at=at, reason="command verify_custody") as wide:
            found = custody.verify(wide=wide)
        counted = (
            f"版 {found.editions}・行 {found.rows}・交付 {found.issued}＝手もと {found.held}＋"
            f"返却 {found.returned}＋廃棄 {found.destroyed}＋紛失 {found.lost}"
        )
        lines = [counted, *(list(found.broken) or ["異常はありません。"])]
        figures = {**asdict(found), "broken": list(found.broken), "balanced": found.balanced}
        return console.Outcome(figures, lines, console.OK if found.balanced else console.FAILED)
