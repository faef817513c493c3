"""TOTP secrets are sealed before they reach the database."""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter

from registry.sealing import seal, unseal


class SealedMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's MFA with encrypted secrets."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(text.encode(), context="mfa")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(base64.b64decode(encrypted_text), context="mfa").decode()
