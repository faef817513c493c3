"""Pages that stand before any scope: signing in, binding a phone.

Owns the class of such pages.  Their operations open transactions of their own, because a
refused try must stay on record.  Refuses (at import) a page that declares nothing.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.views import View

from registry.domain.errors import TsunagariError
from registry.domain.roles import Permission
from web.views.base import METHODS, Busy, Open, error_page


class Door(View):
    """A page without a scope.  ``needs`` says so for the authorisation matrix."""

    needs: ClassVar[dict[str, Permission | Open]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method in METHODS:
            if method in cls.__dict__ and method not in cls.needs:
                raise TypeError(f"{cls.__name__}.{method} declares nothing in `needs`")

    def dispatch(self, request: HttpRequest, *args: Any, **path: Any) -> HttpResponseBase:
        try:
            response = super().dispatch(request, *args, **path)
        except TsunagariError as error:
            response = error_page(request, error)
        except OperationalError:
            response = error_page(request, Busy())
        response["Cache-Control"] = "no-store"
        return response
