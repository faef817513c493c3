"""Signing keys with ids: which key signs now, which are still accepted.

Owns: key choice, derivation of one key per purpose and session, truncated HMAC-SHA256 and
constant-time comparison.
Refuses: keys under 32 bytes, ids outside 0-255, a current key that is not in the ring, and
showing a key in a ``repr``.  Keys come from a file or the environment, never from here.
Source: P6 (tokens carry a key id; keys rotate); trust.md (Keys); RFC 2104, RFC 5869.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

SHORTEST_KEY = 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """``keys`` maps key id (0-255) to secret; ``current`` signs, every listed one verifies.

    To rotate: add a new id, make it current, drop the old id when its codes are over.
    """

    keys: Mapping[int, bytes] = field(repr=False)
    current: int

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("Keyring: current is not among keys")
        for key_id, secret in self.keys.items():
            if not 0 <= key_id <= 255:
                raise ValueError("Keyring: key ids are 0 to 255")
            if len(secret) < SHORTEST_KEY:
                raise ValueError(f"Keyring: key {key_id} is shorter than {SHORTEST_KEY} bytes")

    def has(self, key_id: int) -> bool:
        """True when ``key_id`` is still accepted."""
        return key_id in self.keys

    def derive(self, key_id: int, purpose: str, subject: bytes = b"") -> bytes:
        """A 32-byte key for one purpose and subject; the master key cannot be got back."""
        label = b"tsunagari/1/" + purpose.encode("ascii") + b"\x00" + subject
        return hmac.new(self.keys[key_id], label, hashlib.sha256).digest()


def mac(key: bytes, message: bytes, size: int) -> bytes:
    """HMAC-SHA256 truncated to its first ``size`` bytes (at least 8, i.e. 64 bits)."""
    if not 8 <= size <= 32:
        raise ValueError("mac: size is 8 to 32 bytes")
    return hmac.new(key, message, hashlib.sha256).digest()[:size]


def fits(key: bytes, message: bytes, tag: bytes) -> bool:
    """Whether ``tag`` is the truncated MAC of ``message``; compares in constant time."""
    return hmac.compare_digest(mac(key, message, len(tag)), tag)
