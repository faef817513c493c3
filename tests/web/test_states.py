"""Every scan result has a picture, reception words and a sound of its own on the screens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from points.domain.results import Result
from web.states import STATES, as_script_data, state
from web.templatetags.web_icons import STATE_ICON_NAMES

STATIC = Path(__file__).parents[2] / "web" / "static" / "web"


@pytest.mark.parametrize("result", list(Result))
def test_result_is_told_without_colour(result: Result) -> None:
    row = state(result)
    assert row.title and row.kiosk_title and row.kiosk_detail
    assert row.icon in STATE_ICON_NAMES
    others = [other for other in STATES.values() if other.result is not result]
    assert (row.icon, row.sound) not in {(other.icon, other.sound) for other in others}
    assert (row.title, row.detail) not in {(other.title, other.detail) for other in others}


def test_every_sound_has_a_pattern_and_every_class_a_rule() -> None:
    script = (STATIC / "js" / "kiosk-sound.js").read_text(encoding="utf-8")
    sheet = (STATIC / "css" / "volunteer.css").read_text(encoding="utf-8")
    for row in STATES.values():
        assert re.search(rf"^  {row.sound}: \[\[", script, re.M), row.sound
        for name in row.css.split():
            assert re.search(rf"\.{name}\b", sheet), name


def test_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no_such_result"):
        state("no_such_result")


def test_no_name_before_a_phone_is_bound() -> None:
    assert not state("unknown_device").facts
    assert not state("bad_card").facts


def test_script_data_counts_a_person_as_present_when_the_attendance_is_stored() -> None:
    counted = {code for code, row in as_script_data().items() if row["counted"]}
    assert counted == {r.value for r in Result if r.recorded} | {"queued"}
