"""Who complained, sealed in the vault; everywhere else a complainant is a code name (投诉人-2026-0007).

Names are sealed with AES-SIV (RFC 5297) under a key of their own and bound to the code name: the same person in two
complaints gives two different texts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from reports.canonical_json import canonical_json

#: Fewer digits in a row are no phone number.
_PHONE_DIGITS = 7

#: Shorter parts of a name or of a contact, such as 王 or 北京, stand in many texts.
_NAME_LENGTH, _CONTACT_LENGTH = 2, 5


@dataclass(frozen=True)
class Complainant:
    """Name and contact of a complainant; both may be empty, for a report without a name."""

    name: str
    contact: str


def seal(database: Path, key: bytes, code_name: str, who: Complainant) -> None:
    """Write down who is behind a code name.

    A code name is given out inside the transaction of the control store. A row that stands under it already was left by
    a transaction that did not end; it is overwritten.
    """
    sealed = _cipher(key).encrypt(canonical_json(asdict(who)).encode(), [code_name.encode()])
    with _vault(database) as con, con:
        con.execute(
            "INSERT OR REPLACE INTO complainant (code_name, sealed) VALUES (?, ?)", (code_name, sealed)
        )


def unseal(database: Path, key: bytes, code_name: str) -> Complainant:
    """Return who is behind a code name. Showing it to anybody is a step of its own: `complaints.reveal`.

    Raises:
        ValueError: the vault does not have it, or it was sealed with another key.
    """
    with _vault(database) as con:
        rows = con.execute("SELECT sealed FROM complainant WHERE code_name = ?", (code_name,)).fetchall()
    if not rows:
        raise ValueError(f"{database} does not hold {code_name}")
    try:
        clear = _cipher(key).decrypt(rows[0][0], [code_name.encode()])
    except InvalidTag:
        raise ValueError(f"{database}: {code_name} was sealed with another key") from None
    return Complainant(**json.loads(clear))


def refuse_named(who: Complainant, code_name: str, texts: Mapping[str, str]) -> None:
    """Refuse texts that tell who complained.

    Args:
        who: the complainant.
        code_name: what to write instead.
        texts: by the name of the field; they are about to be stored in the open.

    Raises:
        ValueError: a text has the name or the contact in it; the message repeats neither.
    """
    for field, text in texts.items():
        if _tells(who, text):
            raise ValueError(
                f"{field}: this tells who complained; write {code_name} instead (投诉人信息保密)"
            )


def fingerprint(key: bytes, act_key: str, who: Complainant) -> str:
    """Return a hash that tells one complainant from another under one key of a step, and nowhere else."""
    text = canonical_json([act_key, who.name, who.contact])
    return hmac.new(_own_key(key), text.encode(), hashlib.sha256).hexdigest()[:16]


def _tells(who: Complainant, text: str) -> bool:
    plain, name = _plain(text), _plain(who.name)
    if len(name) >= _NAME_LENGTH and name in plain:
        return True
    parts = [_plain(part) for part in re.split(r"[,，;；\s]+", who.contact)]
    if any(len(part) >= _CONTACT_LENGTH and part in plain for part in parts):
        return True
    digits = re.sub(r"\D", "", text)
    numbers = re.findall(rf"\d{{{_PHONE_DIGITS},}}", re.sub(r"(?<=\d)[-\s](?=\d)", "", who.contact))
    return any(number in digits for number in numbers)


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text).casefold()


@contextmanager
def _vault(database: Path) -> Iterator[sqlite3.Connection]:
    con = sqlite3.connect(database, timeout=30)
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute(
            "CREATE TABLE IF NOT EXISTS complainant (code_name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT"
        )
        yield con
    finally:
        con.close()


def _cipher(key: bytes) -> AESSIV:
    return AESSIV(_own_key(key))


def _own_key(key: bytes) -> bytes:
    return hmac.new(key, b"bidwatch complainants", hashlib.sha512).digest()
