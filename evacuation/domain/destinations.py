"""Which shelter for whom: the reasons ○△×, what is refused, and the order of the list.

Owns the judgement of one shelter for one person and one hazard.  Refuses a place inside the
zone of its own hazard and a full place; everything else is a reason that a person weighs.  An
unknown is △ and says so, never ○.  Distances are metres of the plane rectangular system.
Source: 取組指針 (避難先の選び方), 福祉避難所ガイドライン (直接避難).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import atan2, degrees

from evacuation.domain.candidates_costs import Mark, Reason
from evacuation.domain.needs import NeedTag, needs_power
from evacuation.domain.plan_items import PlanHazard

DETOUR, SPEED = 1.3, 60.0  # metres a minute of somebody who is helped along
NEAR, FAR = 10.0, 30.0  # minutes on foot


@dataclass(frozen=True, slots=True)
class Wish:
    """Who goes: place in metres with its uncertainty, and what the person needs there."""

    hazard: PlanHazard
    x: float
    y: float
    uncertainty: float = 0.0
    people: int = 1
    wheelchair: bool = False
    bed: bool = False
    power: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """A shelter. None is unknown: ``outside`` not checked, ``capacity`` not stated.

    ``zone`` is the label of the zone it lies in; ``special`` maps wheelchair, power, bed to
    places, a missing key is unknown.
    """

    key: int
    x: float
    y: float
    outside: bool | None = None
    zone: str = ""
    designated: bool | None = None
    welfare: bool = False
    admits: str = ""
    direct: bool = False
    confirmed: bool = False
    capacity: int | None = None
    taken: int = 0
    special: Mapping[str, int] | None = None
    companions: int = 0

    @property
    def left(self) -> int | None:
        """Places that remain; None where the capacity is not known."""
        return None if self.capacity is None else max(0, self.capacity - self.taken)


@dataclass(frozen=True, slots=True)
class Judged:
    """A shelter judged: ``refused`` is "" or why it cannot be chosen; ``tenths`` orders."""

    key: int
    metres: float
    minutes: int
    left: int | None
    reasons: tuple[Reason, ...]
    refused: str
    tenths: int


def wish_of(
    hazard: PlanHazard, x: float, y: float, needs: Iterable[str], *,
    uncertainty: float = 0.0, people: int = 1, power_device: bool = False,
) -> Wish:
    """The wish of a person with these stored need tags; unknown tags are not read."""
    known = {tag.value: tag for tag in NeedTag}
    tags = {known[need] for need in needs if need in known}
    return Wish(
        hazard, x, y, uncertainty, people, NeedTag.WHEELCHAIR in tags,
        bool(tags & {NeedTag.BEDRIDDEN, NeedTag.VENTILATOR}), power_device or needs_power(tags),
    )


def judge(wish: Wish, spot: Spot) -> Judged:
    """The reasons for and against, in the order in which they are shown."""
    found: list[Reason] = []

    def add(mark: Mark, code: str, words: str, minutes: float = 0.0) -> None:
        found.append(Reason(mark, code, words, int(minutes * 10)))

    refused = _zone(wish, spot, add)
    metres = ((wish.x - spot.x) ** 2 + (wish.y - spot.y) ** 2) ** 0.5
    minutes = max(1, round(metres * DETOUR / SPEED))
    words = f"約{far(metres)}・徒歩 約{minutes}分"
    if wish.uncertainty:
        words += f"（住まいの位置に ±{wish.uncertainty:,.0f} m の幅）"
    if minutes > FAR:
        words += "・車が必要"
    near = minutes <= NEAR and not wish.uncertainty
    add(Mark.GOOD if near else Mark.CARE, "distance", words, minutes)
    _special(wish, spot, add)
    if spot.welfare:
        who = f"（{spot.admits}）" if spot.admits else ""
        add(Mark.GOOD, "welfare", f"福祉避難所{who}")
        if not spot.direct:
            add(Mark.CARE, "direct", "直接避難の取り決めがありません", 20)
        elif not spot.confirmed:
            add(Mark.CARE, "unconfirmed", "受入れは施設の確認待ち", 5)
    if spot.designated is False:
        add(Mark.BAD, "designated", f"{wish.hazard.label}の指定緊急避難場所ではありません", 30)
    elif spot.designated is None:
        add(Mark.CARE, "designated", f"{wish.hazard.label}のときに使えるか未確認", 5)
    left = spot.left
    if left is None:
        add(Mark.CARE, "capacity", "要配慮者の枠は未確認", 5)
    elif left < wish.people:
        add(Mark.BAD, "full", "満員" if left == 0 else f"残り{left}人で足りません")
        refused = refused or "要配慮者の枠が満員です。"
    if wish.people - 1 > spot.companions and spot.capacity is not None:
        add(Mark.CARE, "companions", f"付きそいは1人あたり{spot.companions}人まで", 2)
    return Judged(spot.key, metres, minutes, left, tuple(found), refused,
                  sum(reason.tenths for reason in found))


def _zone(wish: Wish, spot: Spot, put: Callable[..., None]) -> str:
    if wish.hazard is PlanHazard.EARTHQUAKE:
        return ""
    name = "浸水想定区域" if wish.hazard is PlanHazard.FLOOD else "土砂災害警戒区域"
    if spot.outside is None:
        put(Mark.CARE, "zone", f"{name}との重なりは未確認", 10)
        return ""
    if spot.outside:
        put(Mark.GOOD, "zone", f"{name}の外")
        return ""
    put(Mark.BAD, "zone", f"{spot.zone}の区域", 60)
    return f"{wish.hazard.label}のときの避難先が「{spot.zone}」の中にあります。"


_NEEDS = (("wheelchair", "車いすの場所"), ("power", "電源"), ("bed", "ベッド"))


def _special(wish: Wish, spot: Spot, put: Callable[..., None]) -> None:
    for code, label in _NEEDS:
        if not getattr(wish, code):
            continue
        places = (spot.special or {}).get(code)
        if places is None:
            put(Mark.CARE, code, f"{label}は未確認", 10)
        elif places > 0:
            put(Mark.GOOD, code, f"{label}あり")
        else:
            put(Mark.BAD, code, f"{label}なし", 40)


def order(judged: Iterable[Judged]) -> list[Judged]:
    """Those that can be chosen first, then by reasons and distance; deterministic."""
    return sorted(judged, key=lambda j: (bool(j.refused), j.tenths, j.metres, j.key))


_WINDS = ("北", "北東", "東", "南東", "南", "南西", "西", "北西")


def bearing(east_m: float, north_m: float) -> str:
    """The direction of an offset in metres: 北, 北東 …; "" for no offset."""
    if east_m == 0 and north_m == 0:
        return ""
    return _WINDS[round(degrees(atan2(east_m, north_m)) / 45) % 8]


def far(metres: float) -> str:
    """A distance in words: 「820m」「2.1km」."""
    return f"{metres / 1000:,.1f}km" if metres >= 1000 else f"{round(metres / 10) * 10}m"
