"""P2: the very words in which two whole rule sets are told, and what a comparison says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from points.domain import rule_forms as forms
from points.domain.awards import Limit, Share
from points.domain.rule_preview import LARGEST, Tally, period, rehearsed
from points.domain.rule_sentences import (
    Different,
    Line,
    day,
    difference,
    sentences,
    terms_sentences,
)
from points.domain.rules import Below, Per, Rate, Remainder, RuleSet, Source, YearTerms

STRICT = RuleSet(
    "a-1", "a", date(2026, 4, 1),
    (Rate("join", "参加型", 1), Rate("work", "活動型", 2, Per.STARTED_HOUR),
     Rate("look", "見学", 0)),
    frozenset({Source.GROUP}), 5, 1_500, 2, 3, 12, 13, True, True, Remainder.CARRY, True, 5,
    True, Below.NO_SESSIONS,
)
LOOSE = RuleSet(
    "b-1", "b", date(2026, 4, 1), (Rate("join", "参加型", 1),), frozenset(Source), 1, 100
)


def test_P2_a_strict_rule_set_in_words() -> None:
    assert sentences(STRICT) == (
        Line("rate:join", "参加型", "1回の参加で1ポイント。"),
        Line("rate:work", "活動型", "はじまった1時間ごとに2ポイント。"),
        Line("rate:look", "見学", "1回の参加で0ポイント。参加の記録だけが残る。"),
        Line("sources", "対象の活動", "登録団体の活動が対象。"),
        Line("minimum_age", "年齢", "その年度のうちに13歳になる方から。"),
        Line("residence_required", "お住まい", "市内にお住まいの方だけ。"),
        Line("membership_required", "会員", "その団体の会員だけ。"),
        Line("enrolment_required", "年度登録", "年度ごとの登録がいる。"),
        Line("group", "団体の人数",
             "ポイントの対象になる方が5人以上。足りないあいだは新しい開催回を登録できない。"),
        Line("daily_cap", "1日の上限", "1日3ポイントまで。"),
        Line("group_day_cap", "団体ごとの上限", "1つの団体では1日2ポイントまで。"),
        Line("voucher", "利用券", "5ポイントで1,500円の利用券1枚。"),
        Line("vouchers_per_year", "利用券の枚数", "1年度に12枚まで。"),
        Line("remainder", "端数", "失効日に利用券1枚に足りない分は、次の年度へ繰り越す。"),
    )


def test_P2_a_loose_rule_set_in_words() -> None:
    assert [line.text for line in sentences(LOOSE)] == [
        "1回の参加で1ポイント。",
        "登録団体の活動、ボランティアセンターが紹介した活動、市・社協の催しが対象。",
        "年齢の定めなし。", "お住まいの定めなし。", "会員でなくてもよい。",
        "年度ごとの登録はいらない。", "団体の人数の定めなし。", "1日の上限なし。",
        "団体ごとの1日の上限なし。",
        "1ポイントで100円の利用券1枚。", "1年度の枚数の上限なし。",
        "失効日に利用券1枚に足りない分も、失効する。",
    ]
    odd = replace(LOOSE, group_below=Below.NO_SESSIONS)
    assert sentences(odd)[6].text == (
        "団体の人数の定めなし（足りないあいだは新しい開催回を登録できない）。")
    some = replace(LOOSE, group_minimum=5)
    assert sentences(some)[6].text == "会員が5人以上。足りないときは知らせる。"


def test_P2_a_years_terms_in_words() -> None:
    terms = YearTerms("a", 2026, 1_500, date(2026, 4, 1), date(2027, 6, 30), date(2027, 4, 20),
                      date(2027, 7, 1), 60)
    assert terms_sentences(terms) == (
        Line("annual_cap", "年間の上限", "1年度に60ポイントまで。"),
        Line("yen_value", "利用券の金額", "利用券1枚は1,500円。"),
        Line("exchange", "交換の期間", "2026年4月1日から2027年6月30日まで交換できる。"),
        Line("grace_until", "記録のしめきり", "2027年4月20日までに届いた記録を数える。"),
        Line("lapses_on", "失効", "2027年7月1日に失効する。"),
    )
    assert terms_sentences(replace(terms, annual_cap=None))[0].text == "年間の上限なし。"
    assert day(date(2026, 11, 3)) == "2026年11月3日"


def test_P2_a_difference_says_what_is_new_changed_renamed_and_gone() -> None:
    same = Line("same", "同じ", "四。")
    old = [Line("rate:a", "見学", "一。"), Line("rate:b", "支援型", "二。"),
           Line("cap", "上限", "三。"), same]
    new = [Line("rate:a", "見まもり", "一。"), Line("rate:c", "除雪", "五。"),
           Line("cap", "上限", "六。"), same]
    assert difference(old, new) == (
        Different("rate:a", "見まもり", "見学：一。", "見まもり：一。"),
        Different("rate:c", "除雪", "", "五。"),
        Different("cap", "上限", "三。", "六。"),
        Different("rate:b", "支援型", "二。", ""),
    )


def test_P2_the_form_of_a_rule_set_input_by_input() -> None:
    assert forms.to_form(STRICT, citation="見本", begins_on=STRICT.begins_on) == {
        "begins_on": "2026-04-01", "citation": "見本", "daily_cap": "3", "group_day_cap": "2",
        "vouchers_per_year": "12", "minimum_age": "13", "group_minimum": "5",
        "points_per_voucher": "5", "yen_per_voucher": "1500", "remainder": "carry",
        "group_below": "no_sessions", "residence_required": "yes", "membership_required": "yes",
        "enrolment_required": "yes", "group_counts_eligible": "yes", "sources": ["group"],
        "rates": [
            {"kind": "join", "label": "参加型", "points": "1", "per": "attendance"},
            {"kind": "work", "label": "活動型", "points": "2", "per": "started_hour"},
            {"kind": "look", "label": "見学", "points": "0", "per": "attendance"},
        ],
    }
    blank = forms.to_form(LOOSE)
    assert (blank["begins_on"], blank["citation"], blank["daily_cap"]) == ("", "", "")
    assert blank["sources"] == ["group", "centre", "event"]
    assert set(forms.empty()) == set(blank) and forms.empty()["remainder"] == "void"
    assert forms.empty()["residence_required"] == "no" and forms.empty()["group_below"] == "warn"


def test_P2_what_a_draft_keeps_is_cut_to_size() -> None:
    kept = forms.clean({"citation": "あ" * 300, "sources": ["x" * 50] * 20,
                        "rates": [{"label": "い" * 90}] * forms.RATES})
    assert len(kept["citation"]) == 200 and kept["sources"] == ["x" * 24] * 8
    assert kept["rates"][0] == {"kind": "", "label": "い" * 40, "points": "", "per": ""}
    assert len(kept["rates"]) == 12 and kept["begins_on"] == ""


def test_P2_new_kinds_get_the_next_free_sign() -> None:
    form = forms.to_form(LOOSE, begins_on=date(2027, 4, 1))
    form["rates"] = [{"kind": "kind-1", "label": "一", "points": "1"},
                     {"label": "二", "points": "2"}, {"label": "三", "points": "3"}]
    made = forms.from_form(form, programme="b")
    assert [(r.kind, r.label, r.points, r.per) for r in made.rates] == [
        ("kind-1", "一", 1, Per.ATTENDANCE), ("kind-2", "二", 2, Per.ATTENDANCE),
        ("kind-3", "三", 3, Per.ATTENDANCE)]
    assert made.code == "b-20270401"
    assert forms.from_form(form, programme="b", code="own").code == "own"


def refusals(**changes: object) -> dict[str, str]:
    """What is said to a form with some inputs changed."""
    form = forms.to_form(LOOSE, begins_on=date(2027, 4, 1)) | changes
    try:
        forms.from_form(form, programme="b")
    except forms.Refused as refused:
        return {str(name): str(said) for name, said in refused.fields.items()}
    return {}


def test_P2_each_input_is_refused_in_its_own_words() -> None:
    number = "0から1,000,000までの数字を入れてください。"
    for name in (*forms.CAPS, "points_per_voucher", "yen_per_voucher"):
        for typed in ("-1", "1.5", "一", "1000001", "12345678", "x"):
            assert refusals(**{name: typed}) == {name: number}
    assert refusals(points_per_voucher="") == {"points_per_voucher": number}
    assert refusals(yen_per_voucher="1,000,000") == {}
    for typed in ("2027-04", "1999-12-31", "2201-01-01"):
        assert refusals(begins_on=typed) == {
            "begins_on": "「2027年4月1日」のように年月日を入れてください。"}
    assert refusals(begins_on="2000-01-01") == {} and refusals(begins_on="2200-12-31") == {}
    assert refusals(begins_on="") == {"begins_on": "日付が空です。"}
    assert refusals(remainder="") == {"remainder": "1つえらんでください。"}
    assert refusals(sources=["moon"]) == {"sources": "1つえらんでください。"}
    assert refusals(group_below="stop") == {"group_below": "1つえらんでください。"}
    for name in forms.FLAGS:
        assert refusals(**{name: "maybe"}) == {name: "どちらかをえらんでください。"}
        assert refusals(**{name: ""}) == {}
    row = {"kind": "join", "label": "参加型", "points": "1", "per": "attendance"}
    for changed, named in (({"points": "x"}, "points"), ({"per": "week"}, "per"),
                           ({"label": ""}, "label"), ({"label": "あ" * 25}, "label"),
                           ({"kind": "大"}, "kind"), ({"kind": "k" * 25}, "kind")):
        assert set(refusals(rates=[{}, row | changed])) == {f"rates.1.{named}"}
    assert refusals(rates=[row | {"label": "あ" * 24, "kind": "k" * 24}]) == {}


def test_P2_a_rehearsal_by_hand() -> None:
    sets = [replace(LOOSE, code=f"s{n}", begins_on=date(2024 + n, 4, 1)) for n in range(3)]
    new = replace(LOOSE, code="n", begins_on=date(2027, 4, 1))
    got = sorted((one.begins_on, one.code) for one in
                 rehearsed(sets, new, date(2025, 4, 1), date(2025, 12, 31)))
    assert got == [(date(2024, 4, 1), "s0"), (date(2025, 4, 1), "n"), (date(2026, 1, 1), "s1"),
                   (date(2026, 4, 1), "s2")]
    assert rehearsed([], new, date(2025, 4, 1), date(2025, 4, 1)) == [
        replace(new, begins_on=date(2025, 4, 1))]


def test_P2_the_period_of_a_preview_by_hand() -> None:
    today = date(2026, 11, 23)
    assert period(date(2027, 4, 1), today) == (date(2026, 4, 1), today)
    assert period(date(2026, 12, 1), today) == (date(2025, 12, 1), today)
    assert period(date(2026, 4, 1), today) == (date(2025, 4, 1), date(2026, 3, 31))
    assert period(date(2026, 11, 23), today) == (date(2025, 11, 23), date(2026, 11, 22))
    assert period(date(2028, 2, 29), today) == (date(2026, 3, 1), today)
    assert period(date(2027, 11, 23), today) == (today, today)


def test_P2_only_the_ten_largest_changes_are_named() -> None:
    tally = Tally(date(2026, 4, 1), date(2026, 9, 30), {"k0": "名"})
    for n in range(LARGEST + 3):
        share = Share(n, 0, "o", Limit.NO_POINTS, "")
        tally.add([(f"k{n}", share, share._replace(points=n + 1, limit=Limit.NONE))])
    tally.add([("k0", Share(90, 5, "o", Limit.NONE, ""), Share(90, 1, "n", Limit.DAILY, ""))])
    found = tally.result()
    assert LARGEST == 10 and [c.difference for c in found.changes] == [
        *range(13, 4, -1), -4]
    assert (found.changes[-1].kind, found.changes[-1].label) == ("k0", "名")
    assert found.changes[0].label == "k12" and (found.rest, found.ahead) == (1 + 2 + 3 + 4, 0)
    assert (found.before, found.after, found.difference) == (5, 92, 87)
    assert (found.people, found.more, found.fewer, found.same) == (14, 13, 1, 0)
    assert (found.largest_gain, found.largest_loss) == (13, 4)
    assert (found.changes[0].was, found.changes[0].becomes) == ("ポイントなし", "上限にかからない")
    assert (found.since, found.until) == (date(2026, 4, 1), date(2026, 9, 30))


def test_P1_the_volunteer_points_of_the_council_stop_at_5000_yen_a_year() -> None:
    from datetime import datetime, timedelta

    from points.domain.awards import Attendance, allocate, total

    rules = RuleSet("k", "kamukamu", date(2026, 4, 1), (Rate("visit", "ボランティア活動", 1),),
                    frozenset({Source.CENTRE}), 5, 500, vouchers_per_year=10, minimum_age=13,
                    enrolment_required=True)
    terms = YearTerms("kamukamu", 2026, 500, date(2026, 4, 1), date(2027, 6, 30),
                      date(2027, 4, 20), date(2027, 7, 1), annual_cap=50)
    noon = datetime(2026, 4, 1, 12)
    some = [Attendance(n, n, (noon + timedelta(days=n)).date(), noon + timedelta(days=n), None,
                       "visit", "訪問") for n in range(60)]
    shares = allocate(some, [rules], terms)
    assert [share.points for share in shares] == [1] * 50 + [0] * 10
    assert total(some, [rules], terms) * rules.yen_per_voucher // rules.points_per_voucher == 5_000
