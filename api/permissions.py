"""The framework's permission question, answered by declarations.

Owns one class, apart from ``base`` because the framework loads it while its own views are still
loading.  What a role may do is ``registry/domain/roles.py``; ``base`` asks it inside the scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class DeclaredPermission(BasePermission):
    """Signed in, and the method has a declared permission; the scope decides the rest."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        method = (request.method or "").lower()
        if method == "options":
            return True
        user: object = request.user  # settings.UNAUTHENTICATED_USER is None
        if user is None:
            return False
        # A method nobody wrote is answered 405; one without a declaration cannot exist.
        return method in getattr(view, "needs", {}) or not hasattr(view, method)
