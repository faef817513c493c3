"""``points/waiting``, ``points/duplicates``, ``points/merges``: one person, one record (P8).

Owns the machine face of the council's two queues.  Refuses by the operations' rules; whoever is
not the council gets 403.  interfaces.md, "HTTP API".
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Endpoint, read
from points.operations import merging, overlaps
from points.queries import waiting
from registry.access import Scope
from registry.domain.roles import Permission
from registry.queries.duplicates import likely_pairs


class EvidenceOut(serializers.Serializer[Any]):
    """One record and what speaks for it."""

    attendance_id = serializers.IntegerField()
    session_id = serializers.IntegerField()
    title = serializers.CharField()
    programme = serializers.CharField()
    organisation_name = serializers.CharField()
    place = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    method = serializers.CharField()
    attended_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField()


class WaitingOut(serializers.Serializer[Any]):
    """A record that waits, and those that count at the same time."""

    volunteer_id = serializers.IntegerField()
    number = serializers.CharField()
    kind = serializers.CharField()
    this = EvidenceOut()
    others = EvidenceOut(many=True)


class OverlapDecisionIn(serializers.Serializer[Any]):
    """``count_this``, ``count_both`` or ``void``, and why."""

    action = serializers.CharField(max_length=12)
    reason = serializers.CharField(max_length=120, allow_blank=True)


class OverlapDecisionOut(serializers.Serializer[Any]):
    """The decision as it stands."""

    id = serializers.IntegerField(source="pk")
    attendance = serializers.IntegerField(source="attendance_id")
    others = serializers.ListField(child=serializers.IntegerField())
    action = serializers.CharField()
    reason = serializers.CharField()


class PairOut(serializers.Serializer[Any]):
    """Two records that may be one person, and what they have in common."""

    first = serializers.IntegerField(source="first.id")
    first_number = serializers.CharField(source="first.number")
    second = serializers.IntegerField(source="second.id")
    second_number = serializers.CharField(source="second.number")
    signs = serializers.ListField(child=serializers.CharField())


class MergeIn(serializers.Serializer[Any]):
    """Which record stays, which goes, and why."""

    survivor = serializers.IntegerField(min_value=1)
    merged = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(max_length=160, allow_blank=True)


class MergeOut(serializers.Serializer[Any]):
    """The merge; transfers of cause ``merge`` carry its id."""

    id = serializers.IntegerField(source="pk")
    survivor = serializers.IntegerField(source="survivor_id")
    merged = serializers.IntegerField(source="merged_id")
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()


class OverlapQueue(Endpoint):
    """重なりの確認."""

    needs: ClassVar = {"get": Permission.STATEMENTS_VIEW}

    @extend_schema(responses=WaitingOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Records of one person at two sessions at the same time, oldest first."""
        return Response([WaitingOut(one).data for one in waiting.overlaps(scope)])


class OverlapDecide(Endpoint):
    """重なりの判断."""

    needs: ClassVar = {"post": Permission.STATEMENTS_VIEW}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=OverlapDecisionIn, responses={201: OverlapDecisionOut})
    def post(self, request: Request, scope: Scope, attendance_id: int) -> Response:
        """Count it instead, count both, or void it; points are counted again at once."""
        waiting.waiting_one(scope, attendance_id=attendance_id)
        given = read(OverlapDecisionIn, request)
        done = overlaps.decide(attendance_id=attendance_id, **given, by=scope)
        return Response(OverlapDecisionOut(done).data, status=201)


class Duplicates(Endpoint):
    """二重の登録のうたがい."""

    needs: ClassVar = {"get": Permission.VOLUNTEERS_MANAGE}

    @extend_schema(responses=PairOut(many=True))
    def get(self, request: Request, scope: Scope) -> Response:
        """Pairs of records that may be one person, those with the most in common first."""
        return Response([PairOut(one).data for one in likely_pairs(scope)])


class Merges(Endpoint):
    """記録の統合."""

    needs: ClassVar = {"post": Permission.VOLUNTEERS_MANAGE}
    once: ClassVar = frozenset({"post"})

    @extend_schema(request=MergeIn, responses={201: MergeOut})
    def post(self, request: Request, scope: Scope) -> Response:
        """Unite two records of one person."""
        given = read(MergeIn, request)
        made = merging.merge(survivor_id=given["survivor"], merged_id=given["merged"],
                             reason=given["reason"], by=scope)
        return Response(MergeOut(made).data, status=201)
