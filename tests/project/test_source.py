"""Promises about the source itself: sizes, openings, forbidden ways, named rules, settings."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("registry", "points", "evacuation", "api", "web", "workers", "config")
TRACKED = [
    Path(line)
    for line in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    if (ROOT / line).exists()
]
PYTHON = [p for p in TRACKED if p.suffix == ".py" and "migrations" not in p.parts]
SHIPPED = [p for p in PYTHON if p.parts[0] in PACKAGES]

# Who may read without a scope, and why.  Operations act for the service after `require`;
# the rest needs a line here.
UNSCOPED = {
    "registry/access.py": "builds the scope itself",
    "registry/base.py": "defines the way",
    "registry/audit.py": "writes and seals the log",
    "registry/models/": "`visible` narrows a queryset for a scope",
    "registry/operations/": "acts after require",
    "registry/queries/": "filters by the scope it is given; reviewed",
    "points/models/": "`visible` narrows a queryset for a scope",
    "points/operations/": "acts after require",
    "evacuation/models/": "`visible` narrows a queryset for a scope",
    "evacuation/operations/": "acts after require",
}


def test_no_file_is_above_400_lines() -> None:
    long = {
        str(p): n
        for p in TRACKED
        if p.suffix in {".py", ".html", ".css", ".sh", ".typ"} and "vendor" not in p.parts
        and "migrations" not in p.parts
        and (n := (ROOT / p).read_text(encoding="utf-8").count("\n")) > 400
    }
    assert not long, f"split by noun before adding more: {long}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_opens_by_saying_what_it_owns(package: str) -> None:
    silent = [
        str(p)
        for p in SHIPPED
        if p.parts[0] == package and (ROOT / p).read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse((ROOT / p).read_text(encoding="utf-8")))
    ]
    assert not silent, f"open with a docstring (owns, refuses, where the rule comes from): {silent}"


def test_unscoped_reads_happen_only_where_listed() -> None:
    found = [
        str(p)
        for p in SHIPPED
        if ".unscoped()" in (ROOT / p).read_text(encoding="utf-8")
        and not any(str(p).startswith(allowed) for allowed in UNSCOPED)
    ]
    assert not found, f"use .visible_to(scope), or list the module with its reason: {found}"


def test_no_forbidden_module_or_name() -> None:
    for path in SHIPPED:
        assert path.stem not in {"common", "core", "utils", "helpers", "services", "admin"}, path
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                assert not re.search(r"(Helper|Util|Handler|Service)$", node.name), (
                    f"{path}: {node.name}"
                )


def test_no_bare_except_and_no_clock_in_the_cores() -> None:
    for path in SHIPPED:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not re.search(r"except\s*:", text), f"{path}: bare except"
        if "domain" in path.parts:
            assert not re.search(r"datetime\.now\(|date\.today\(|time\.time\(", text), (
                f"{path}: time is passed in"
            )


@pytest.mark.parametrize("rule", [f"R{n}" for n in range(1, 16)] + [f"P{n}" for n in range(1, 12)])
def test_every_rule_is_named_by_a_test(rule: str) -> None:
    pattern = re.compile(rf"def test_\w*?(?<![A-Za-z0-9]){rule}_|\b{rule}\b")
    for path in PYTHON:
        if path.parts[0] != "tests" or path.name == "test_source.py":
            continue
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = f"{node.name} {ast.get_docstring(node) or ''}"
                if pattern.search(said) or rule in node.name.split("_"):
                    return
    pytest.fail(f"no test names {rule}; the rule is not held by anything")


def test_every_setting_is_documented() -> None:
    settings = (ROOT / "config/settings.py").read_text(encoding="utf-8")
    documented = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    missing = sorted(n for n in names if f"`{n}`" not in documented)
    assert names and not missing, f"describe in docs/settings.md: {missing}"


def test_nothing_names_a_registry_a_machine_or_a_secret() -> None:
    forbidden = re.compile(
        r"https?://(?:[\w.-]*pypi|registry\.npmjs|deb\.debian)[\w./-]*"
        r"|/root/|/home/\w+/|BEGIN (?:RSA |EC )?PRIVATE KEY",
    )
    for path in TRACKED:
        binary = path.suffix in {".ttf", ".png", ".wasm", ".whl", ".woff2", ".gz"}
        if binary or "vendor" in path.parts:
            continue
        if path.name == "test_source.py":
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        hit = forbidden.search(text)
        assert hit is None, f"{path}: {hit.group(0) if hit else ''}"
