"""Shelters for staff: what is known, what is taken, and joins that somebody must confirm.

Owns the list of 指定避難所.  Refuses to guess: an unknown says so.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from evacuation.queries import hazards, shelters
from registry.access import Scope
from registry.domain.roles import Permission
from web.views import blocks
from web.views.base import Answer, Reply
from web.views.office_page import OfficePage
from web.views.plan_acts import FindForm

CONFIRMED = {
    "none": ("未確認", "soft"),
    "asked": ("確認中", "caution"),
    "confirmed": ("確認ずみ", "good"),
}
SAFE = {
    "flood": "洪水",
    "landslide": "土砂",
    "earthquake": "地震",
    "storm_surge": "高潮",
    "tsunami": "津波",
    "large_fire": "大火",
    "inland_flood": "内水",
    "volcano": "火山",
}


class Places(OfficePage):
    """Shelters by name with places taken, and the hazard files in force."""

    needs = {"get": Permission.PLACES_VIEW}
    section = "office-places"
    work = "work.places"

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        text = request.GET.get("q", "").strip()[:60]
        found = shelters.shelters(scope, text=text)
        doubtful = sum(one.join_state == "doubtful" for one in found)
        return Reply(
            "web/office/detail_list.html",
            {
                "heading": "避難所",
                "meta": f"{len(found)}か所",
                "filter_form": FindForm(request.GET),
                "actions": [],
                "reset_url": reverse("office-places"),
                "notices": [
                    {
                        "kind": "caution",
                        "text": f"国のファイルとの対応を確かめる避難所が{doubtful}か所あります。",
                    }
                ]
                if doubtful
                else [],
                "tables": [
                    blocks.table(
                        "指定避難所",
                        [
                            "名称",
                            "住所",
                            "種類",
                            "使える災害",
                            "要配慮者の枠",
                            "計画で使用",
                            "受入れの確認",
                        ],
                        [_line(one) for one in found[:200]],
                        "あてはまる避難所は ありません。",
                    ),
                    blocks.table(
                        "災害区域の地図",
                        ["区分", "ファイル", "出典", "取りこめない行"],
                        [
                            blocks.row(
                                one.label,
                                one.name,
                                one.source + ("（見本）" if one.is_sample else ""),
                                str(one.rejected),
                            )
                            for one in hazards.datasets(scope)
                        ],
                        "まだ 取りこまれていません。",
                    ),
                ],
                "note": "枠に「見本」とあるものは、実際の数ではありません。",
            },
        )


def _line(one: shelters.ShelterFact) -> blocks.Block:
    safe = (
        "不明"
        if one.safe_for is None
        else "・".join(SAFE.get(name, name) for name in one.safe_for) or "なし"
    )
    room = (
        "未確認"
        if one.capacity is None
        else f"{one.capacity}人" + ("（見本）" if one.capacity_is_sample else "")
    )
    used = "・".join(f"{SAFE[name]}{count}人" for name, count in one.taken.items() if count)
    word, kind = CONFIRMED[one.confirmation]
    return blocks.row(
        one.name,
        one.address,
        "福祉避難所" if one.is_welfare else "",
        safe,
        room,
        used,
        blocks.cell(word, kind),
    )
