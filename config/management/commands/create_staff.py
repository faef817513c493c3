"""Create an account, its second factor and its term of office."""

from __future__ import annotations

import base64
import secrets
import sys
from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from config import console
from registry import access
from registry.operations import staff
from registry.queries import offices


class Command(console.Command):
    """`create_staff USERNAME --name 氏名 --office CODE --starts-on 2026-04-01 --apply`"""

    help = "利用者・認証アプリ・任期を登録します。パスワードがなければ自動でつくります。"
    names_actor = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="表示名")
        parser.add_argument("--office", required=True, metavar="役職コード")
        parser.add_argument("--starts-on", type=date.fromisoformat, help="任期開始日（なしは今日）")
        parser.add_argument("--ends-on", type=date.fromisoformat, help="任期終了日")
        parser.add_argument("--device", action="store_true", help="端末（認証アプリなし）")
        parser.add_argument("--password-stdin", action="store_true")

    def work(self, *, at: datetime, options: dict[str, Any]) -> console.Outcome:
        password = (
            sys.stdin.readline().rstrip("\n")
            if options["password_stdin"]
            else secrets.token_urlsafe(15)
        )
        secret = "" if options["device"] else base64.b32encode(secrets.token_bytes(20)).decode()
        with self.trial(apply=options["apply"]), self.scope(at=at, options=options) as by:
            office = next(iter(offices.offices_by_code(by, [options["office"]]).values()), None)
            if office is None:
                raise CommandError(f"役職 {options['office']} がありません。",
                                   returncode=console.USAGE)
            user = staff.create_user(
                username=options["username"], display_name=options["name"], password=password,
                is_device=options["device"], by=by,
            )
            if secret:
                staff.enrol_totp(user=user, secret=secret, by=by)
            staff.appoint(
                office_id=office, user_id=user.pk, by=by,
                starts_on=options["starts_on"] or access.day_of(at), ends_on=options["ends_on"],
            )
        if not options["apply"]:
            return console.Outcome(
                {"username": options["username"], "office": options["office"], "applied": False},
                [f"{options['username']} を {options['office']} に任命します。"],
            )
        return console.Outcome(
            {"username": options["username"], "office": options["office"], "applied": True,
             "password": password, "totp_secret": secret},
            [f"{options['username']} を登録しました。次の2つは、もう表示しません。",
             f"  パスワード: {password}", f"  認証アプリの秘密鍵: {secret or '（なし）'}"],
        )
