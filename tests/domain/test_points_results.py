"""The enum of results: screens.md (a state is never colour alone) and interfaces.md."""

from __future__ import annotations

from itertools import combinations

from points.domain.results import FACES, Result

CODES = [
    "granted",
    "already",
    "cap_reached",
    "queued",
    "expired",
    "not_open",
    "unknown_device",
    "bad_card",
    "other_group",
    "not_eligible",
    "overlap_waiting",
    "year_closed",
    "cancelled_card",
]


def test_P4_every_api_code_is_a_result_and_nothing_else() -> None:
    assert [result.value for result in Result] == CODES
    assert set(FACES) == set(Result)


def test_no_two_results_differ_in_colour_alone() -> None:
    for one, other in combinations(Result, 2):
        assert one.face.icon != other.face.icon
        assert one.face.sound != other.face.sound
        assert (one.face.title, one.face.advice) != (other.face.title, other.face.advice)


def test_a_refusal_never_sounds_like_a_success_and_says_whether_it_counted() -> None:
    refused = {Result.EXPIRED, Result.NOT_OPEN, Result.UNKNOWN_DEVICE, Result.BAD_CARD}
    refused |= {Result.OTHER_GROUP, Result.CANCELLED_CARD, Result.QUEUED}
    assert {result for result in Result if not result.recorded} == refused
    assert Result.QUEUED.face.title == "受付しました・送信まち"
