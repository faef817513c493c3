"""The four ways an operation says no.

Owns the base classes only; each concrete refusal is defined beside the function that
raises it, with a stable ``code`` and a sentence in Japanese that the person in front of
the screen can act on.  Interfaces map the four classes to HTTP in one place.
Refuses: success dictionaries, bare booleans for failure, messages without a code.
"""

from __future__ import annotations

from collections.abc import Mapping


class TsunagariError(Exception):
    """A designed answer: ``code`` is stable, ``message`` is Japanese, ``fields`` names inputs.

    ``fields`` maps an input's name to the sentence that belongs beside it; it never holds
    personal data, because it is logged and returned.
    """

    code = "error"
    message = "処理できませんでした。"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code or type(self).code
        self.message = message or type(self).message
        self.fields = dict(fields or {})
        super().__init__(f"{self.code}: {self.message}")


class Refused(TsunagariError):
    """The request is understood and a rule says no (HTTP 422)."""

    code = "refused"


class Forbidden(TsunagariError):
    """This role may never do this, whatever the object (HTTP 403)."""

    code = "forbidden"
    message = "この操作をする権限がありません。"


class NotFound(TsunagariError):
    """Does not exist, or not visible to you: both answer alike (HTTP 404)."""

    code = "not_found"
    message = "見つかりませんでした。"


class Conflict(TsunagariError):
    """Somebody or something was there first (HTTP 409, or 412 for versions)."""

    code = "conflict"
    message = "ほかの変更と重なりました。画面を開きなおしてください。"
