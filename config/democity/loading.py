"""Loading the demo city: ground, two years of points, residents, roster, sign-ins.

Owns the order, the times and the figures it prints.  Refuses a database with people in it.
The past is told in its own time: each step's scope carries the instant at which it happened.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock

from config.democity import activity, grouping, listing, organising, sign_ins, twins
from config.democity.residents import SEED, city
from points.domain.rules import fiscal_year
from registry import access
from registry.access import JAPAN, day_of
from registry.domain.errors import Conflict
from registry.models import User
from registry.queries import accounts, areas

Say = Callable[[str], None]


class CityExists(Conflict):
    """The database holds a city already."""

    code = "city_exists"
    message = "このデータベースには、すでにデータがあります。空のデータベースを使ってください。"


def load(*, people: int, at: datetime, say: Say, seed: int = SEED) -> list[dict[str, str]]:
    """Load a city of ``people`` residents as of now; the accounts for ``demo.json``.

    Raises:
        CityExists: the database is not empty.
    """
    on = day_of(at)
    year = fiscal_year(on)
    begun = datetime.combine(date(year - 1, 4, 1), clock(9), JAPAN)
    with access.system(at=at, reason="demo") as by:
        if areas.areas(by):
            raise CityExists
    with _step("人をつくる", say) as told:
        drawn = city(people, on=on, seed=seed)
        homes = len({one.household for one in drawn.people})
        told(f"{people:,}人・{homes:,}世帯・{len(drawn.areas)}町内会")
    with _step("区域・団体・任期", say) as told:
        # Offices and terms as of today; the accounts' own terms begin with the first year.
        with access.system(at=at, reason="demo") as by:
            ground = organising.lay(drawn, fiscal_year=year, by=by)
        told(f"区域 {len(ground.areas)}・団体 {len(ground.organisations)}・"
             f"役職 {len(ground.offices)}・登録団体 {len(ground.groups)}")
    council = _user(ground.users["social_welfare_council"])
    officer = _user(ground.users["city_officer"])
    with _step("ポイント2年度分", say) as told:
        with access.system(at=begun, reason="demo") as by:
            activity.rule(year, by=by)
            gathered = activity.gather(drawn, ground, year=year, by=by)
        counted = activity.live(ground, gathered, year=year, council=council, at=at)
        activity.exchange(gathered, counted, council=council, shop=_user(ground.users["shop"]),
                          at=at)
        twins.write_down_twice(ground, gathered, council=council, at=at)
        told(f"ボランティア {len(gathered.ids):,}人・開催回 {counted.sessions:,}・"
             f"参加 {counted.attendances:,}件・利用券 {counted.vouchers}枚（使用 {counted.used}）")
    with _step("団体の届け出と実績報告", say) as told:
        accepted = grouping.report(ground, gathered.groups, year=year, council=council, at=at)
        grouping.shrink(ground, gathered.groups, gathered.members, year=year, at=at)
        grouping.knock(ground, programme=activity.TSUNAGARI, year=year, council=council, at=at)
        told(f"登録 {len(gathered.groups)}件（2年度）・実績報告の受理 {accepted}件・"
             "4人の団体 1・差しもどし 1・審査まち 1")
    with _step("住民の取込", say) as told:
        # Files of the same form are applied in the order in which they were staged.
        listed = listing.take_in(drawn, officer=officer, at=at - timedelta(minutes=2))
        told("、".join(f"{name} {rows:,}行" for name, rows in listed.files))
    with _step("名簿・同意・避難先・支援者", say) as told:
        with access.scope(officer, at=at, purpose="demo") as by:
            listing.put_on_the_map(by=by)
            ids = listing.list_people(drawn, listed, by=by)
            listing.answer(ids, listed, by=by)
            listing.look_after(ids, ground, by=by)
        with access.scope(council, at=at) as by:
            listing.opt_in(gathered.ids, by=by)
        with access.scope(officer, at=at, purpose="demo") as by:
            listing.gather_supporters(listed, ground, by=by)
        told(f"名簿 {listed.roster:,}人（同意 {listed.answers['agreed']}・"
             f"不同意 {listed.answers['refused']}・未回答 {listed.answers['silent']}）・"
             f"支援者 {listed.supporters}")
    with _step("サインイン", say) as told, access.system(at=at, reason="demo") as by:
        rows = sign_ins.hand_out(ground, at=at, by=by)
        told(f"{len(rows)}件")
    say(f"  最大メモリ {peak_megabytes():,.0f} MB")
    return rows


def peak_megabytes() -> float:
    """The most memory this process has held."""
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextmanager
def _step(name: str, say: Say) -> Iterator[Callable[[str], None]]:
    begun = time.monotonic()
    figures: list[str] = []
    yield figures.append
    say(f"  {name}  {time.monotonic() - begun:.1f} 秒  {'、'.join(figures)}")


def _user(user_id: int) -> User:
    found = accounts.active_user_by_id(user_id)
    if found is None:
        raise LookupError(f"account {user_id} is gone")
    return found
