"""Secrets at rest: sealed with a key that is not in the database, and bound to the row that they are of.

A sealed value is `1:` and, in URL-safe base 64, a nonce of 12 bytes, the text under AES-256-GCM and its tag. The
`context` is authenticated with it: a value that was copied to another row cannot be opened there. The keys are derived
by HKDF (RFC 5869) from `settings.ENCRYPTION_KEYS`, of which the first seals and each opens. They are keys of their own
and not SECRET_KEY, so that changing that signs people out and loses nothing else.
"""

from __future__ import annotations

import base64
import binascii
import functools
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_FORM = "1:"
_NONCE_BYTES = 12
_PURPOSE = b"conversations.sealing/1"


class Unreadable(Exception):
    """A sealed value that none of the keys opens, or not for this row."""


def seal(text: str, context: str = "") -> str:
    """`text` so that only `unseal` with the same `context` gives it back. Twice the same text is not the same."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher(settings.ENCRYPTION_KEYS[0]).encrypt(nonce, text.encode(), _bound(context))
    return _FORM + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")


def unseal(sealed: str, context: str = "") -> str:
    """The text of `sealed`, with any of the keys. Raises Unreadable, without a word of it."""
    return _opened(sealed, context, settings.ENCRYPTION_KEYS)


def reseal(sealed: str, context: str = "") -> str:
    """The same text sealed with the first key; what that opens already stays as it is. Raises Unreadable."""
    try:
        _opened(sealed, context, settings.ENCRYPTION_KEYS[:1])
    except Unreadable:
        return seal(unseal(sealed, context), context)
    return sealed


def _opened(sealed: str, context: str, keys: list[str]) -> str:
    raw = _raw(sealed)
    for key in keys:
        try:
            return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(context)).decode()
        except (InvalidTag, ValueError):
            continue  # sealed with another key, for another row, or not by us
    raise Unreadable("A sealed value cannot be opened with the keys of this server.")


def _raw(sealed: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(sealed.removeprefix(_FORM).encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _bound(context: str) -> bytes:
    return _PURPOSE + b"\0" + context.encode()


@functools.lru_cache(maxsize=8)
def _cipher(key: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.encode()))
