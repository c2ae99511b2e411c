"""Keyed tokens of personal values (HMAC-SHA256, RFC 2104), as SQL over a column of texts.

Equal values give equal tokens, so people can be compared without anyone reading their names. Without
the key nobody can test a guess against a token. The kind is part of the token: a phone never equals an account.
"""

from __future__ import annotations

import hashlib

_BLOCK_BYTES = 64


def token(key: bytes, kind: str, plain: str) -> str:
    """SQL of HMAC(key, kind 0x1f text), as ``h1:`` and 32 hexadecimal digits; kind and text are SQL."""
    inner, outer = _pads(key)
    digest = f"sha256(unhex('{inner}') || encode({kind} || chr(31) || {plain}))"
    return f"'h1:' || left(sha256(unhex('{outer}') || unhex({digest})), 32)"


def normalised(kind: str, x: str) -> str:
    """SQL of the form in which two spellings of one personal value are equal; NULL where nothing is left.

    ``x`` is SQL of text in NFKC. Blanks and invisible format characters never count.
    """
    match kind:
        case "phone":
            dialled = f"regexp_replace(regexp_replace({x}, '[^0-9+]', '', 'g'), '^(\\+|00)86', '')"
            # 11 digits that begin with 1 are a mobile number in China.
            plain = f"regexp_replace(replace({dialled}, '+', ''), '^86(1[0-9]{{10}})$', '\\1')"
        case "account":
            plain = f"regexp_replace(upper({x}), '[^0-9A-Z]', '', 'g')"
        case "email":
            plain = f"regexp_replace(lower({x}), '[\\s\\p{{Cf}}]', '', 'g')"
        case _:
            plain = f"regexp_replace(upper({x}), '[\\s\\p{{Cf}}]', '', 'g')"
    return f"nullif({plain}, '')"


def _pads(key: bytes) -> tuple[str, str]:
    block = (key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in block).hex(), bytes(b ^ 0x5C for b in block).hex()
