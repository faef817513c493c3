"""What brings an approved plan back to review, and what its pages cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evacuation.operations import plan_reviews
from evacuation.queries import plans as read
from evacuation.queries.plan_choices import destinations
from registry import access
from tests.factories import plans as made
from tests.operations.test_evacuation_plans import approved, world

__all__ = ["world"]


@pytest.mark.parametrize(("kind", "label"), [
    ("moved_within", "転居"), ("care_changed", "要介護度の変更"),
    ("facility_entered", "施設への入所・入院"), ("name_changed", None),
])
def test_what_an_import_notices_brings_the_plan_to_review_at_once(
    cast: Any, world: made.World, kind: str, label: str | None
) -> None:
    plan_id = approved(cast, world)
    with access.system(at=cast.at + timedelta(days=9), reason="test") as by:
        moved = plan_reviews.after_events(events=iter([(cast.hanako_id, kind)]), by=by)
        hub = read.hub(by, plan_id=plan_id)
        assert moved == (label is not None)
        assert hub.review_label == (label or "")
        assert label is None or hub.review_due_on == by.on


def test_the_list_and_the_hub_cost_a_bounded_number_of_queries(
    cast: Any, world: made.World, django_assert_max_num_queries: Any
) -> None:
    plan_id = approved(cast, world)
    with cast.scope(cast.sato) as by:
        with django_assert_max_num_queries(8):
            assert len(read.plan_list(by).items) == 3
        with django_assert_max_num_queries(16):
            read.hub(by, plan_id=plan_id)
        with django_assert_max_num_queries(20):  # a nested scope costs a few on PostgreSQL
            destinations(by, plan_id=plan_id, hazard="flood")
