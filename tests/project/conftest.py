"""The living city that the project-wide promises are tested on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.cast import Cast


@pytest.fixture
def city(cast: Cast, settings: Any, tmp_path: Any) -> Iterator[Any]:
    """``tests.factories.living.build`` with a file store of its own, the clock at its time."""
    from tests.factories import living

    settings.FILE_STORE = tmp_path / "files"
    with time_machine.travel(cast.at, tick=False):
        yield living.build(cast)
