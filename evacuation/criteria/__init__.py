"""Example rule sets (要件の例), transcribed from what three cities publish.

Owns the JSON files beside it.  They are examples (見本) for a municipality that writes its own;
the city's page and its 地域防災計画 are the authority, and each file names its source.
"""

from __future__ import annotations

from importlib import resources

from evacuation.domain.eligibility import RuleSet, load


def examples() -> tuple[RuleSet, ...]:
    """The shipped rule sets, by file name."""
    files = sorted(
        (f for f in resources.files(__name__).iterdir() if f.name.endswith(".json")),
        key=lambda f: f.name,
    )
    return tuple(load(f.read_text(encoding="utf-8")) for f in files)
