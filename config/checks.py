"""Deployment checks: contradictions and unsafe settings stop the start (`bin/serve`).

Owns what must not run in production.  Each error says what to do.  trust.md, "Data".
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, register
from django.db import connection


@register("tsunagari", deploy=True)
def production_is_safe(**_: Any) -> list[Error]:
    """Settings that endanger data or people in production."""
    found: list[Error] = []

    def refuse(code: str, what: str, remedy: str) -> None:
        found.append(Error(what, hint=remedy, id=f"tsunagari.{code}"))

    if not settings.PRODUCTION:
        refuse("E001", "PRODUCTION が on ではありません。", "本番では PRODUCTION=on にします。")
    if settings.DEMO:
        refuse("E002", "DEMO が on です。", "見本の名簿を本番で使わないでください。")
    if not settings.PUBLIC_URL.startswith("https://"):
        refuse("E003", "PUBLIC_URL が https ではありません。",
               "カメラとパスキーは HTTPS でだけ動きます。")
    if "*" in settings.ALLOWED_HOSTS:
        refuse("E004", "ALLOWED_HOSTS に * があります。", "使うホスト名だけを書きます。")
    unknown = set(settings.FACES) - {"public", "community", "office"}
    if unknown or not settings.FACES:
        refuse("E005", "FACES の値が正しくありません。", "public,community,office から選びます。")
    if settings.CONSENT_MODE not in {"opt_in", "ordinance_no_consent", "presumed_consent"}:
        refuse("E006", "CONSENT_MODE の値が正しくありません。", "docs/settings.md を見てください。")
    return found


@register("tsunagari", deploy=True)
def database_is_safe(databases: Any = None, **_: Any) -> list[Error]:
    """PostgreSQL that would lose an answered scan, or a role that walks through the walls."""
    if connection.vendor != "postgresql":
        return []
    found: list[Error] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)",
                       [["fsync", "synchronous_commit", "full_page_writes"]])
        for name, value in cursor.fetchall():
            if value == "off":
                found.append(Error(f"PostgreSQL の {name} が off です。",
                                   hint=f"{name}=on にします。", id="tsunagari.E010"))
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        mighty = cursor.fetchone()
        if mighty and any(mighty):
            found.append(Error("アプリのデータベース役割が強すぎます。",
                               hint="DATABASE_URL には tsunagari_app の役割を使います。",
                               id="tsunagari.E011"))
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                       " AND tableowner = current_user")
        owned = cursor.fetchone()
        if owned and owned[0]:
            found.append(Error("アプリの役割が表の所有者です。",
                               hint="表は tsunagari_owner が持ちます（DATABASE_OWNER_URL）。",
                               id="tsunagari.E012"))
    return found
