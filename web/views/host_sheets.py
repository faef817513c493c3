"""The paper of a session: its sheet to print and to enter, the printed event QR, a group's list.

Owns ``/host/sessions/<id>/sheet`` (the entry in the order of the paper, keyboard first),
``…/list`` (a file of the group), the prints, and ``/S/<code>`` that the sheet's QR opens.
Refuses nothing that was typed: a refusal draws the page again with everything on it.  P4.3, P4.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from points.domain.codes import BadCode
from points.domain.sheets import Listed, marked
from points.operations import papers, sheets
from points.operations.sheets import SheetInput, SheetResult
from points.queries.sessions import SessionLine, printed_code, session
from points.queries.sheets import SheetView, matched, session_of_sheet, sheet_of
from registry.access import Scope
from registry.documents import qr_svg
from registry.domain.errors import NotFound, Refused, TsunagariError
from registry.domain.roles import Permission
from registry.queries.volunteers import search_volunteers
from web.forms.sheets import WAIT, PaperForm, SheetForm, UploadForm, typed_newcomers
from web.presenting import entry_mark, read_mark, session_words
from web.views.base import Answer, Open, Page, Reply, file_response, status_of

_LIST = "tsunagari.list"
_LIST_LIFE = 24 * 3600
CANDIDATES = 6
WHY = {"unknown": "登録が見つかりません", "several": "同じ名前の方が何人かいます",
       "mismatch": "番号と名前が合いません", "twice": "2回のっています"}
NEEDS: dict[str, Permission | Open] = {
    "get": Permission.SESSIONS_MANAGE, "post": Permission.SESSIONS_MANAGE,
}


class Sheet(Page):
    """The paper sheet, entered in its own order."""

    needs = NEEDS

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line, view = session(scope, session_id=session_id), sheet_of(scope, session_id=session_id)
        return _sheet_page(line, view, _sheet_form(view), entry_mark(scope.at))

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line, view = session(scope, session_id=session_id), sheet_of(scope, session_id=session_id)
        data, wrong = _with_marks(request.POST, view)
        mark = data.get("token", "")
        if data.get("act") == "mark" or wrong:
            form = _sheet_form(view, initial=_kept(data))
            if wrong:
                form = _sheet_form(view, data=data)
                form.is_valid()
                form.errors.clear()
                form.add_error("marks", wrong)
            return _sheet_page(line, view, form, mark, 422 if wrong else 200)
        typed = typed_newcomers(data, view.empty_lines)
        form = _sheet_form(view, data=data, candidates=_candidates(scope, typed))
        asked = [n for n in typed if f"pick_{n}" not in data]
        if asked:
            form.is_valid()
            for n in asked:
                form.errors.pop(f"pick_{n}", None)
            return _sheet_page(line, view, form, mark, 422 if form.errors else 200, asking=True)
        if not form.is_valid():
            return _sheet_page(line, view, form, mark, 422)
        number, _ = read_mark(mark)
        picked = {n: form.cleaned_data[f"pick_{n}"] for n in typed}
        result = sheets.enter(entry=SheetInput(
            id=number, session_id=line.id, sheet_id=view.sheet_id,
            volunteer_ids=(*form.cleaned_data["people"],
                           *(int(one) for one in picked.values() if one != WAIT)),
            unknown=tuple((typed[n], "unknown") for n, one in picked.items() if one == WAIT),
            headcount=form.cleaned_data["headcount"], reason=form.cleaned_data["reason"],
            signed_name=form.cleaned_data["signed_name"],
        ), by=scope)
        return _entered(request, line, result)

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        line = session(scope, session_id=path["session_id"])
        view = sheet_of(scope, session_id=path["session_id"])
        typed = typed_newcomers(request.POST, view.empty_lines)
        form = _sheet_form(view, data=request.POST, candidates=_candidates(scope, typed))
        _blame(form, error)
        return _sheet_page(line, view, form, entry_mark(scope.at), status_of(error))


class SheetPrint(Page):
    """The paper list of a session as PDF; its order is kept (P4.5)."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        body = papers.attendance_pages(session_id=session_id, by=scope)
        return file_response(body, name=f"sheet-{session_id}.pdf", kind="application/pdf")


class Poster(Page):
    """The printed event QR of a session as PDF (P4.3)."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        body = papers.event_poster(session_id=session_id, by=scope)
        return file_response(body, name=f"poster-{session_id}.pdf", kind="application/pdf")


class PosterPicture(Page):
    """The picture of the printed event QR, for a flyer of the group's own (P4.3)."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        made = printed_code(scope, session_id=session_id)
        return HttpResponse(qr_svg(made.url, least_version=4), content_type="image/svg+xml")


class Practice(Page):
    """The practice QR for smartphone classes as PDF."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope) -> Answer:
        body = papers.practice_poster(by=scope)
        return file_response(body, name="practice.pdf", kind="application/pdf")


class SheetAddress(Page):
    """``/S/<code>``: what the QR of a printed sheet opens, for those who may enter it."""

    needs = {"get": Permission.SESSIONS_MANAGE}

    def get(self, request: HttpRequest, scope: Scope, code: str) -> Answer:
        try:
            session_id = session_of_sheet(scope, code=code)
        except BadCode as wrong:  # no address of ours: the same answer as for one of others
            raise NotFound from wrong
        return HttpResponseRedirect(reverse("host-sheet", args=[session_id]))


class GroupList(Page):
    """A group's own list: read it, show what is known and what waits, then enter it."""

    needs = NEEDS

    def get(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        return _upload_page(session(scope, session_id=session_id), UploadForm())

    def post(self, request: HttpRequest, scope: Scope, session_id: int) -> Answer:
        line = session(scope, session_id=session_id)
        if "rows" not in request.POST:
            upload = UploadForm(request.POST, request.FILES)
            if not upload.is_valid():
                return _upload_page(line, upload, 422)
            listed = sheets.read_upload(
                upload.cleaned_data["file"].read(sheets.LARGEST_FILE + 1))
            return _list_page(scope, line, listed, PaperForm(initial={"headcount": len(listed)}),
                              entry_mark(scope.at))
        listed, mark = _read_rows(request.POST["rows"]), request.POST.get("token", "")
        form = PaperForm(request.POST)
        if not form.is_valid():
            return _list_page(scope, line, listed, form, mark, 422)
        known, why = matched(scope, listed)
        number, _ = read_mark(mark)
        result = sheets.enter(entry=SheetInput(
            id=number, session_id=line.id, source="file",
            volunteer_ids=tuple(one.id for one in known.values()),
            unknown=tuple((one, why[one.line]) for one in listed if one.line in why),
            headcount=form.cleaned_data["headcount"], reason=form.cleaned_data["reason"],
            signed_name=form.cleaned_data["signed_name"],
        ), by=scope)
        return _entered(request, line, result)

    def refused(
        self, request: HttpRequest, scope: Scope, error: TsunagariError, **path: Any
    ) -> Answer | None:
        if request.method != "POST" or status_of(error) not in (409, 422):
            return None
        line = session(scope, session_id=path["session_id"])
        if "rows" not in request.POST or isinstance(error, RowsTooOld):
            upload = UploadForm()
            upload.is_bound, upload.data = True, QueryDict()
            upload.errors.clear()
            upload.add_error(None, error.message)
            return _upload_page(line, upload, status_of(error))
        form = PaperForm(request.POST)
        _blame(form, error)
        return _list_page(scope, line, _read_rows(request.POST["rows"]), form,
                          entry_mark(scope.at), status_of(error))


class RowsTooOld(Refused):
    """The list on the page is not ours or was read a day ago."""

    code = "entry_too_old"
    message = "画面を開いてから時間がたちました。ファイルをもう一度えらんでください。"


def _sheet_form(view: SheetView, *, data: Any = None, **more: Any) -> SheetForm:
    return SheetForm(
        data, newcomers=view.empty_lines,
        people=[(one.volunteer_id, f"{one.name}（{one.number}）") for one in view.lines], **more,
    )


def _sheet_page(
    line: SessionLine, view: SheetView, form: SheetForm, mark: str, status: int = 200, *,
    asking: bool = False,
) -> Reply:
    chosen = set(map(str, form["people"].value() or ()))
    return Reply("web/host/sheet.html", {
        "session": session_words(line), "form": form, "token": mark, "asking": asking,
        "action": reverse("host-sheet", args=[line.id]),
        "rows": [{"line": one, "ticked": str(one.volunteer_id) in chosen} for one in view.lines],
        "printed": view.sheet_id is not None, "print_url": reverse("host-sheet-print",
                                                                   args=[line.id]),
        "list_url": reverse("host-list", args=[line.id]),
        "back_url": reverse("host-session", args=[line.id]),
    }, status=status)


def _upload_page(line: SessionLine, form: UploadForm, status: int = 200) -> Reply:
    return Reply("web/host/list_upload.html", {
        "session": session_words(line), "form": form,
        "action": reverse("host-list", args=[line.id]),
        "back_url": reverse("host-sheet", args=[line.id]),
    }, status=status)


def _list_page(
    scope: Scope, line: SessionLine, listed: Sequence[Listed], form: PaperForm, mark: str,
    status: int = 200,
) -> Reply:
    known, why = matched(scope, list(listed))
    rows = signing.dumps([[one.line, one.name, one.kana, one.number] for one in listed],
                         salt=_LIST, compress=True)
    return Reply("web/host/list_check.html", {
        "session": session_words(line), "form": form, "token": mark, "sealed": rows,
        "known": [known[one.line] for one in listed if one.line in known],
        "waiting": [{"row": one, "why": WHY[why[one.line]]} for one in listed
                    if one.line in why],
        "action": reverse("host-list", args=[line.id]),
        "back_url": reverse("host-list", args=[line.id]),
    }, status=status)


def _read_rows(sealed: str) -> list[Listed]:
    try:
        return [Listed(*row) for row in signing.loads(sealed, salt=_LIST, max_age=_LIST_LIFE)]
    except signing.BadSignature as error:
        raise RowsTooOld from error


def _with_marks(posted: QueryDict, view: SheetView) -> tuple[QueryDict, str]:
    """The posted sheet with the typed or scanned marks ticked; what is wrong with them."""
    data = posted.copy()
    try:
        places = marked(data.get("marks", "")[:200], view.rows,
                        max((one.position for one in view.lines), default=0))
    except BadCode as wrong:
        return data, wrong.message
    people = set(data.getlist("people"))
    people |= {str(one.volunteer_id) for one in view.lines if one.position in places}
    data.setlist("people", [*sorted(people)])
    data["marks"] = ""
    return data, ""


def _kept(data: QueryDict) -> dict[str, Any]:
    """What was typed, to draw again without judging it yet."""
    return {key: data.getlist(key) if key == "people" else data.get(key, "") for key in data}


def _candidates(scope: Scope, typed: dict[int, Listed]) -> dict[int, list[tuple[str, str]]]:
    """line → whom the typed name may mean: by written name and by reading."""
    found = {}
    for n, one in typed.items():
        seen = {}
        for text in dict.fromkeys((one.name, one.kana)):
            if text:
                for person in search_volunteers(scope, text=text, limit=CANDIDATES).items:
                    seen[str(person.id)] = f"{person.name}（{person.kana}・{person.number}）"
        found[n] = [*seen.items()]
    return found


def _blame(form: PaperForm, error: TsunagariError) -> None:
    """The refusal beside the field that it names."""
    form.is_valid()
    field = next((name for name in error.fields if name in form.fields), None)
    form.add_error(field, error.message)


def _entered(request: HttpRequest, line: SessionLine, result: SheetResult) -> Answer:
    if result.again:
        messages.success(request, "この紙は もう入力されています。なにも変わりません。")
    else:
        said = f"{result.recorded}人の参加を 記録しました。"
        if result.already:
            said += f"{result.already}人は もう受付ずみでした。"
        messages.success(request, said)
    for _, reason in result.refused:
        messages.error(request, reason)
    if result.waiting:
        messages.success(request, f"{result.waiting}人は 確認まちです。")
        return HttpResponseRedirect(reverse("host-waiting"))
    return HttpResponseRedirect(reverse("host-session", args=[line.id]))
