"""TOTP secrets are sealed before they reach the database.

Owns the adapter through which allauth encrypts and opens second factors (setting
``MFA_ADAPTER``).  Refuses a secret in the clear: trust.md, "which fields are encrypted".
"""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter

from registry.sealing import seal, unseal

_CONTEXT = "mfa"


class SealedMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's MFA with encrypted secrets."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(text.encode(), context=_CONTEXT)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(base64.b64decode(encrypted_text), context=_CONTEXT).decode()
