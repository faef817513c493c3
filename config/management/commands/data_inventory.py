"""`bin/tsunagari data_inventory`: write docs/privacy/inventory.md from the models.

Owns nothing but the form; the classification stands beside each field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from registry import database
from registry.base import Level

TARGET = Path(__file__).resolve().parents[3] / "docs/privacy/inventory.md"
HEAD = """# 個人情報の一覧 (data inventory)

Made by `bin/tsunagari data_inventory` from the classification beside each field; a test compares.
`personal` is 個人情報, `sensitive` is 要配慮個人情報 or what would endanger somebody. The last
column says how long a field is kept (`registry/base.py`, `Keep`).

| 項目 | 名称 | 区分 | 保存 |
|---|---|---|---|
"""


class Command(BaseCommand):
    help = "個人情報の一覧を作ります。"

    def handle(self, *args: Any, **options: Any) -> None:
        rows = []
        for model in sorted(database.our_models(), key=lambda m: m._meta.label):
            for field in model._meta.local_fields:
                privacy = getattr(field, "privacy", None)
                if privacy is None or privacy.level is Level.PLAIN:
                    continue
                rows.append(
                    f"| {model._meta.label}.{field.name} | {field.verbose_name} "
                    f"| {privacy.level} | {privacy.keep} |"
                )
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
        self.stdout.write(f"{len(rows)} 項目")
