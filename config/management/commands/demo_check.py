"""Run the main job through the running demo: HTTP and the worker, no shortcuts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import console
from config.democity import (
    check_groups,
    check_offline,
    check_paper,
    check_plan,
    check_points,
    check_roster,
    check_rules,
    check_unification,
    check_years,
)
from config.democity.checking import Check, Step, StepFailed, carry_out

STEPS: tuple[Step, ...] = (
    ("サインイン / sign in", check_roster.sign_in),
    ("住民の取込 / import residents", check_roster.import_residents),
    ("名簿 / roster", check_roster.rebuild_roster),
    ("同意 / consent", check_roster.record_consents),
    ("定期提供 / sharing run by the worker", check_roster.share),
    ("名簿のファイル / booklet files", check_roster.fetch_files),
    ("区域の外 / outside the area", check_roster.stay_out),
    ("受領 / receipt", check_roster.receive),
    ("計画の下書き / plan draft", check_plan.draft),
    ("避難先 / destinations", check_plan.choose_places),
    ("支援者の案 / supporters proposed", check_plan.propose),
    ("割り当てと同意 / assignment", check_plan.assign),
    ("承認 / approval", check_plan.approve),
    ("計画書 / plan PDF", check_plan.print_sheet),
    ("開催回 / event opened", check_points.open_event),
    ("登録団体 / groups", check_groups.groups),
    ("会員の入会と退会 / members", check_groups.members),
    ("実績報告 / annual report", check_groups.report),
    ("カード / online scan", check_points.scan_online),
    ("会場のQR / event code", check_points.scan_event_code),
    ("一括と重複 / batch and duplicates", check_points.scan_batch),
    ("電波なし / offline sync, missing counter", check_offline.sync_offline),
    ("明細 / statement", check_points.read_statement),
    ("交換 / exchange", check_points.exchange),
    ("利用券 / voucher used", check_points.use_voucher),
    ("紙の名簿 / paper sheet", check_paper.paper_sheet),
    ("おくれた紙 / a sheet three weeks late", check_paper.late_sheet),
    ("紙のQR / printed event code", check_paper.printed_code),
    ("名前でさがす / name search", check_paper.name_search),
    ("要領の変更 / rule change from a date", check_rules.change_rules),
    ("年度のしめきりと失効 / a year closed", check_years.close_a_year),
    ("重なりと統合 / the unification queue", check_unification.unify),
    ("統計 / statistics exported", check_points.export_statistics),
    ("台帳・副本・記録 / verified", check_points.verify),
)


class Command(BaseCommand):
    """`demo_check`: exit 0 when every step holds, 1 with the name of the step that failed."""

    requires_system_checks = ()  # `bin/demo` has just run migrate, which checks
    help = "動いているデモに主な仕事を通し、手順ごとに数字を表示します。"

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.localtime()
        try:
            check = Check.open(Path(settings.DATA_DIR), now=now)
        except StepFailed as missing:
            raise CommandError(str(missing), returncode=console.FAILED) from missing
        if not carry_out(check, STEPS, lambda text: print(text, flush=True)):
            sys.exit(console.FAILED)
