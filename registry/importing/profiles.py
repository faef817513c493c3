"""Which mapping profile an import uses: the municipality's own, else the shipped ones.

Owns finding a profile by its code.  A municipality lays its reviewed profiles as JSON files into
the folder ``IMPORT_PROFILES``; one of the same code replaces the shipped sample.  Refuses a
code that is no plain name.
"""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from registry.domain.errors import NotFound
from registry.domain.importing.profile import (
    Profile,
    load_profile,
    shipped_profile,
    shipped_profiles,
)

_CODE = re.compile(r"[a-z0-9_-]{1,40}")


def find_profile(code: str) -> Profile:
    """The profile of that code.

    Raises:
        NotFound: ``profile_unknown``.
        ProfileRefused: the file is no valid profile.
    """
    if not _CODE.fullmatch(code):
        raise NotFound("その取込の形式はありません。", code="profile_unknown")
    own = Path(settings.IMPORT_PROFILES) / f"{code}.json"
    if own.is_file():
        return load_profile(own.read_text(encoding="utf-8"))
    return shipped_profile(code)


def profile_codes() -> list[str]:
    """Codes of every profile at hand, sorted."""
    folder = Path(settings.IMPORT_PROFILES)
    own = {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()
    return sorted(own | set(shipped_profiles()))
