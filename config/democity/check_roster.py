"""The check, first part: import → roster → consent → sharing by the worker → files → receipt.

Owns five invented people of each run: 花子 consents, 一郎 refuses, 雪 is under DV等支援措置, 南
lives in the south, and one row is wrong on purpose.  Refuses a file in which 花子 is missing or
一郎 or 雪 is found.  interfaces.md, `bin/demo --check`; issue "It shows" 3.
"""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

from python_calamine import CalamineWorkbook

from config.demo_folder import Account
from config.democity import register_files
from config.democity.calling import Person
from config.democity.checking import Check, StepFailed, expect, must, waited
from config.democity.organising import ACCOUNTS
from config.democity.reading import pdf_pages, plain
from config.democity.residents import Resident

_MOST_FILES = 130
_FORM = "見本様式1"


def sign_in(check: Check) -> str:
    """The officer enters with password and six digits, and is refused with a wrong password."""
    account = check.accounts["city_officer"]
    wrong = Account(account.role, account.username, "wrong-" + account.password, "", "")
    refused = Person(check.wire).sign_in(wrong)
    must(refused.status == 422, f"まちがった合言葉に HTTP {refused.status}")
    person = Person(check.wire)
    entered = person.sign_in(account)
    must(entered.status == 302, "サインインできません")
    page = person.follow(entered)
    must(page.status == 200 and "見本".encode() in page.body, f"最初の画面: HTTP {page.status}")
    return "合言葉＋確認コード、まちがいは422"


def find_areas(check: Check) -> None:
    """The patches of the northern and the southern commissioner."""
    shown = {role: name for role, _, name in ACCOUNTS}
    rows = expect(check.by("city_officer")("GET", "registry/appointments"))["results"]
    for role in ("welfare_commissioner_north", "welfare_commissioner_south",
                 "neighbourhood_association"):
        own = [row for row in rows
               if shown[role] in [holder["display_name"] for holder in row["holders"]]]
        must(len(own) == 1, f"{role} の役職が {len(own)} 件")
        check.offices[role] = own[0]["id"]
        if role == "neighbourhood_association":
            area = own[0]["areas"][0]
            check.area, check.area_code = area["area_id"], area["area_code"]
        if role == "welfare_commissioner_south":
            check.south_code = own[0]["areas"][0]["area_code"]


def _residents(check: Check) -> list[Resident]:
    base = 90_000_000 + check.run * 10
    born = date(1935, 5, 3) + timedelta(days=check.run)
    rows = (("hanako", "見本　花子", "ミホン　ハナコ", "female", check.area_code, None),
            ("ichiro", "見本　一郎", "ミホン　イチロウ", "male", check.area_code, None),
            ("yuki", "見本　雪", "ミホン　ユキ", "female", check.area_code,
             date(check.now.year + 1, 3, 31)),
            ("minami", "見本　南", "ミホン　ミナミ", "female", check.south_code, None))
    made = []
    for at, (key, name, kana, sex, area, until) in enumerate(rows, start=1):
        check.numbers[key] = str(base + at)
        made.append(Resident(
            number=str(base + at), household=str(9_000_000 + check.run * 10 + at), name=name,
            kana=kana, born=born + timedelta(days=at * 40), sex=sex,
            address=f"会津若松市見本町{check.run}番{at}号", building="", town="", koaza="",
            area=area, section="1", phone=f"0242-00-{9000 + at}", longitude=139.9285 + at * 0.0004,
            latitude=37.5105, protected_until=until, care_level="24",
        ))
    return made


def import_residents(check: Check) -> str:
    """A small CP932 file and its care levels: upload, preview, apply; one row comes back."""
    check.remember()  # a run that breaks off has used its people, too
    find_areas(check)
    officer, people = check.by("city_officer"), _residents(check)
    bad = Resident(**{name: getattr(people[0], name) for name in Resident.__slots__})
    bad.number, bad.area = str(90_000_009 + check.run * 10), "N99999"
    file = register_files.residents_file([*people, bad], encoding="cp932", name="check.csv")
    care = register_files.care_file(people, name="check-care.csv")
    told = []
    for one, new, changed, waiting in ((file, 4, 0, 1), (care, 0, 4, 0)):
        staged = expect(officer.upload("registry/imports", one.name, one.content,
                                       profile=one.profile), 201, what="取込")
        got = (staged["new"], staged["changed"], staged["ambiguous"] + staged["rejected"])
        must(got == (new, changed, waiting), f"{one.name}: 新規・変更・要確認 {got}")
        must(staged["rows"] == sum(staged[k] for k in ("new", "changed", "same", "ambiguous",
                                                        "rejected")), "内わけが行数と合いません")
        shown = expect(officer("GET", f"registry/imports/{staged['id']}/preview"))
        must(len(shown["rows"]) >= new + changed, "プレビューに行がありません")
        done = expect(officer("POST", f"registry/imports/{staged['id']}/apply"))
        must(done["state"] == "applied", f"状態 {done['state']}")
        if waiting:
            back = officer("GET", f"registry/imports/{staged['id']}/rejected")
            must(back.status == 200 and bad.number.encode() in back.body, "返す行がありません")
            must("見本　花子".encode("cp932") in back.body, "返す行の文字コードがちがいます")
        told.append(f"{one.rows}行")
    for key, number in check.numbers.items():
        found = expect(officer("POST", "registry/people/search", {"text": number}))["results"]
        must(len(found) == 1, f"{number} が {len(found)} 件")
        check.people[key] = found[0]["id"]
    return f"住民{told[0]}（CP932、要確認1行を返却）・介護{told[1]}"


def rebuild_roster(check: Check) -> str:
    """Preview the difference, then apply it."""
    officer = check.by("city_officer")
    run = expect(officer("POST", "evacuation/roster/runs", {}), 201, what="名簿の更新")
    changes = expect(officer(
        "GET", f"evacuation/roster/runs/{run['id']}/changes?change=new&limit=200"
    ))["results"]
    named = {row["person_id"] for row in changes}
    must(set(check.people.values()) <= named, "取りこんだ4人が差分にいません")
    done = expect(officer("POST", f"evacuation/roster/runs/{run['id']}/apply", {}))
    must(done["state"] == "applied", f"状態 {done['state']}")
    return f"{run['examined']:,}人を判定、新規{run['new']}・変更なし{run['same']:,}"


def record_consents(check: Check) -> str:
    """花子 consents to all three, 一郎 refuses, 雪 and 南 consent."""
    officer = check.by("city_officer")
    wanted = [("hanako", "roster_sharing", "agreed"), ("hanako", "plan_making", "agreed"),
              ("hanako", "plan_sharing", "agreed"), ("ichiro", "roster_sharing", "refused"),
              ("yuki", "roster_sharing", "agreed"), ("minami", "roster_sharing", "agreed")]
    for key, purpose, answer in wanted:
        expect(officer("POST", "evacuation/consents", {
            "person": check.people[key], "purpose": purpose, "answer": answer,
            "answered_at": check.now.isoformat(), "means": "paper", "form_version": _FORM,
            "explained_normal": True, "explained_disaster": True,
        }, once=True), 201, what=f"{key} の{purpose}")
    lacking = officer("POST", "evacuation/consents", {
        "person": check.people["hanako"], "purpose": "roster_sharing", "answer": "agreed",
        "answered_at": check.now.isoformat(), "means": "paper", "form_version": _FORM,
    })
    must(lacking.status in (400, 422), f"説明のない同意に HTTP {lacking.status}")
    return f"{len(wanted)}件、説明のない同意は拒否"


def share(check: Check) -> str:
    """Open the run of this period; the worker builds an edition for every recipient."""
    officer, day = check.by("city_officer"), check.now
    month = 10 if day.month >= 10 or day.month < 4 else 4
    check.period = f"{day.year - (day.month < 4)}-{month:02}"
    before = expect(officer("GET", "evacuation/sharing-runs"))["results"]
    check.fresh_run = check.period not in [row["period"] for row in before]
    expect(officer("POST", "evacuation/sharing-runs", {"period": check.period}), 202,
           what="定期提供")

    def finished() -> Any:
        rows = expect(officer("GET", "evacuation/sharing-runs"))["results"]
        run = next(row for row in rows if row["period"] == check.period)
        return run if run["waiting"] == 0 else None

    run = waited(finished, seconds=400, words="作業者が提供を終えません", pause=0.5)
    must(run["recipients"] == run["issued"] + run["held_back"], "提供先の数が合いません")
    must(run["issued"] > 0, "1件も交付されていません")
    if check.fresh_run:
        check.shared_with = check.period
        check.remember()
    tasks = expect(officer("GET", f"evacuation/sharing-runs/{check.period}/tasks"))["results"]
    silent = [one for one in tasks if one["state"] == "held_back" and not one["reason"]]
    must(not silent, "理由のない保留があります")
    found = expect(officer("GET", f"evacuation/editions?period={check.period}"))["results"]
    check.editions = found
    must(len(found) == run["issued"], f"版 {len(found)}、交付 {run['issued']}")
    offices = [one["office_id"] for one in found]
    must(len(offices) == len(set(offices)), "同じ提供先に二つの版があります")
    again = "" if check.fresh_run else "（この期は交付ずみ、二重なし）"
    return (f"{run['recipients']}先：交付{run['issued']}・保留{run['held_back']}・"
            f"のべ{run['people']:,}人{again}")


def fetch_files(check: Check) -> str:
    """Every recipient's booklet and spreadsheet, read and searched for names."""
    officer = check.by("city_officer")
    north = {check.offices["welfare_commissioner_north"],
             check.offices["neighbourhood_association"]}
    south = check.offices["welfare_commissioner_south"]
    first = [one for one in check.editions if one["office_id"] in north | {south}]
    must({one["office_id"] for one in first} == north | {south}, "北か南の版がありません")
    rest = [one for one in check.editions if one["office_id"] not in north | {south}]
    # A period shared before anybody of the check had come cannot name them.
    came = check.shared_with == check.period
    pages = files = 0
    for one in [*first, *rest][:_MOST_FILES]:
        book = officer("GET", f"evacuation/editions/{one['id']}/file?format=pdf")
        sheet = officer("GET", f"evacuation/editions/{one['id']}/file?format=xlsx")
        must(book.status == sheet.status == 200, f"版 {one['number']}: {book.told()}")
        texts = pdf_pages(book.body)
        pages, files = pages + len(texts), files + 2
        names = _names(sheet.body)
        must(len(names) == one["people"], f"版 {one['number']}: xlsxに{len(names)}人")
        # "Not in the file" counts only where the reader finds everybody who must be in it.
        unseen = [name for name in names if name not in "".join(texts)]
        must(not unseen, f"版 {one['number']} のPDFで読めない氏名: {len(unseen)}人")
        for text, kind in (("".join(texts), "PDF"), (_cells(sheet.body), "xlsx")):
            where = f"版 {one['number']} の{kind}"
            for name in ("見本一郎", "見本雪"):
                must(name not in text, f"{where}に {name} がいます")
            must(("見本花子" in text) == (came and one["office_id"] in north), f"{where}: 見本花子")
            must(("見本南" in text) == (came and one["office_id"] == south)
                 or _covers(one, south), f"{where}: 見本南")
    rows = expect(officer("GET", f"evacuation/roster/{check.people['hanako']}/explanations"))
    must(any(one["include"] for one in rows["results"]), "花子の説明に提供先がありません")
    who = f"花子は北の{len(north)}先だけ" if came else "花子は次の期から"
    return (f"{files}ファイル・PDF {pages}ページ：{who}、"
            "一郎（不同意）と雪（支援措置）はどこにもいない")


def _covers(edition: dict[str, Any], south: int) -> bool:
    """The southern 町内会 itself may hold 南, too."""
    return bool(edition["recipient_kind"] == "neighbourhood" and edition["office_id"] != south)


def _cells(content: bytes) -> str:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()]
    return plain("".join(str(cell) for row in rows for cell in row))


def _names(content: bytes) -> list[str]:
    """The column 氏名 of the spreadsheet."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("名簿").to_python()
    head = next(at for at, row in enumerate(rows) if "氏名" in row)
    place = rows[head].index("氏名")
    return [plain(str(row[place])) for row in rows[head + 1 :] if str(row[place]).strip()]


def stay_out(check: Check) -> str:
    """加藤 (south) asks for the north: not found, in the same bytes as what does not exist."""
    kato = check.by("welfare_commissioner_south")
    edition = next(one["id"] for one in check.editions
                   if one["office_id"] == check.offices["welfare_commissioner_north"])
    tries = 0
    for path in ("", "/file?format=pdf", "/file?format=xlsx", "/difference"):
        foreign = kato("GET", f"evacuation/editions/{edition}{path}")
        missing = kato("GET", f"evacuation/editions/987654321{path}")
        must(foreign.status == 404, f"{path or '版'}: HTTP {foreign.status}")
        must(foreign.body == missing.body, f"{path or '版'}: 「ない」と「見えない」がちがいます")
        tries += 1
    own = expect(kato("GET", "evacuation/editions"))["results"]
    must({one["office_id"] for one in own} == {check.offices["welfare_commissioner_south"]},
         "加藤の一覧にほかの役職の版があります")
    for path in (f"registry/people/{check.people['hanako']}", "evacuation/roster",
                 f"evacuation/roster/{check.people['hanako']}"):
        must(kato("GET", path).status == 403, f"{path} が403になりません")
        tries += 1
    return f"{tries}通り、404は同じ応答"


def receive(check: Check) -> str:
    """森 (north) confirms that the booklet arrived; later runs confirm that it is still there."""
    mori = check.by("welfare_commissioner_north")
    mine = expect(mori("GET", "evacuation/editions/mine"))["results"]
    cards = [card["values"]["name"] for one in mine for card in one["cards"]]
    came = check.shared_with == check.period
    seen = any(plain(name) == "見本花子" for name in cards)
    must(bool(cards) and seen == came, "森の画面の花子が、渡した名簿と合いません")
    copies = expect(mori("GET", f"evacuation/copies?period={check.period}"))["results"]
    must(copies, "副本がありません")
    done = 0
    for copy in copies:
        page = mori("GET", f"evacuation/copies/{copy['id']}")
        act = {"issued": "receipt", "received": "check"}.get(copy["state"])
        if act is None:
            raise StepFailed(f"副本 {copy['number']} は {copy['state_label']}")
        got = expect(mori("POST", f"evacuation/copies/{copy['id']}/{act}",
                          {} if act == "receipt" else {"note": "見本"}, match=page.tag),
                     what=f"副本 {copy['number']}")
        must(got["state"] == "received", f"副本 {copy['number']}: {got['state']}")
        done += 1
    stale = mori("POST", f"evacuation/copies/{copies[0]['id']}/check", {}, match='"1"')
    must(stale.status == 412, f"古い版の番号に HTTP {stale.status}")
    return f"副本{done}部の受領、画面に{len(cards)}人"
