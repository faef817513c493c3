"""Promises about every model: classified fields, paired signatures, walls, documentation.

Each failure says what to do.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import models

from registry import database
from registry.base import AppendOnly, Level, Privacy, Scoped

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted(database.our_models(), key=lambda m: m._meta.label)


def fields(model: type[models.Model]) -> list[models.Field]:  # type: ignore[type-arg]
    return [f for f in model._meta.local_fields if not (f.primary_key and f.auto_created)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_every_field_is_classified(model: type[models.Model]) -> None:
    bare = [f.name for f in fields(model) if not isinstance(getattr(f, "privacy", None), Privacy)]
    assert not bare, f"wrap these in plain()/personal()/sensitive() (registry/base.py): {bare}"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_a_model_with_personal_fields_needs_a_scope(model: type[models.Model]) -> None:
    personal = [f.name for f in fields(model) if f.privacy.level is not Level.PLAIN]  # type: ignore[attr-defined]
    # Accounts are looked up before there is a scope; remembered answers are sealed.
    if not personal or model.__name__ in {"User", "RememberedAnswer"}:
        return
    assert issubclass(model, Scoped), f"{personal} concern people: inherit registry.base.Scoped"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_an_instant_with_a_signature_is_constrained(model: type[models.Model]) -> None:
    names = {f.name: f for f in fields(model)}
    for name in names:
        signer = name[: -len("_at")] + "_by"
        if not name.endswith("_at") or signer not in names or not names[name].null:
            continue
        mentioned = [
            c.name
            for c in model._meta.constraints
            if isinstance(c, models.CheckConstraint)
            and name in str(c.condition) and signer in str(c.condition)
        ]
        assert mentioned, f"{model.__name__}: {name} and {signer} need a CheckConstraint together"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_every_constraint_is_named_as_a_rule(model: type[models.Model]) -> None:
    for constraint in model._meta.constraints:
        assert "_" in constraint.name and "%" not in constraint.name, constraint.name


def test_history_is_never_cascaded() -> None:
    for model in MODELS:
        for field in fields(model):
            if isinstance(field, models.ForeignKey):
                assert field.remote_field.on_delete is not models.CASCADE, (
                    f"{model.__name__}.{field.name}: PROTECT, never CASCADE"
                )


def test_every_append_only_condition_is_sql() -> None:
    for model, condition in database.append_only_models():
        assert issubclass(model, AppendOnly)
        assert condition == "TRUE" or "OLD." in condition, model.__name__


def test_the_glossary_knows_every_noun() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    for model in MODELS:
        term = str(model._meta.verbose_name)
        assert not re.fullmatch(r"[a-z ]+", term), f"{model.__name__} needs a Japanese verbose_name"
        assert f"`{model.__name__}`" in glossary and term in glossary, (
            f"add {model.__name__} · {term} to docs/glossary.md"
        )


def test_the_data_inventory_is_complete() -> None:
    inventory = (ROOT / "docs/privacy/inventory.md").read_text(encoding="utf-8")
    for model in MODELS:
        for field in fields(model):
            privacy: Privacy = field.privacy  # type: ignore[attr-defined]
            if privacy.level is Level.PLAIN:
                continue
            row = (
                f"| {model._meta.label}.{field.name} | {field.verbose_name} "
                f"| {privacy.level} | {privacy.keep} |"
            )
            assert row in inventory, (
                f"docs/privacy/inventory.md is out of date; run bin/tsunagari data_inventory: {row}"
            )
