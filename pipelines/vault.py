"""The clear text of personal values, sealed. Only raw files and the text of refused records have it too.

Everywhere else a person, phone, account or ID number is a token. The key lives in a file outside
the home; without it the vault cannot be opened. Values are sealed with AES-SIV (RFC 5297), which
gives the same bytes for the same value, so bronze stays a pure function of its inputs.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pipelines import files

SEALED = pa.schema([("kind", pa.string()), ("token", pa.string()), ("sealed", pa.binary())])


def make_key(path: Path) -> None:
    """Make a new secret key; the file appears whole, and only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(handle)
    temporary.rename(path)
    files.sync_folder(path.parent)


def load_key(path: Path) -> bytes:
    """Return the secret key.

    Raises:
        FileNotFoundError: there is no such file.
        PermissionError: others may read the key file.
        ValueError: the file does not hold 32 bytes in hexadecimal.
    """
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path}: others may read the key; run: chmod 400 {path}")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ValueError(f"{path}: the key must be 32 bytes as 64 hexadecimal digits")
    return bytes.fromhex(text)


def key_id(key: bytes) -> str:
    """Return a public name of the key: tokens of different keys are not comparable."""
    return hmac.new(key, b"bidwatch key id", hashlib.sha256).hexdigest()[:8]


def seal(path: Path, clear: Iterable[pa.Table], key: bytes) -> None:
    """Write the distinct (kind, token, text) rows of ``clear`` to ``path``, text sealed."""
    cipher = AESSIV(_sealing_key(key))
    values = {
        (kind, token): text
        for table in clear
        for kind, token, text in zip(*(column.to_pylist() for column in table.columns), strict=True)
    }
    if not values:
        return
    rows = sorted(
        (kind, token, cipher.encrypt(text.encode(), [kind.encode()]))
        for (kind, token), text in values.items()
    )
    columns = zip(*rows, strict=True)
    pq.write_table(
        pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, SEALED, strict=True)],
            schema=SEALED,
        ),
        path,
    )


def store(database: Path, sealed: Iterable[Path]) -> None:
    """Add sealed values to the vault; values that are there stay as they are."""
    con = sqlite3.connect(database)
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute(
            "CREATE TABLE IF NOT EXISTS value"
            " (token TEXT PRIMARY KEY, kind TEXT NOT NULL, sealed BLOB NOT NULL) STRICT"
        )
        with con:
            for file in sealed:
                rows = pq.read_table(file).to_pydict()
                con.executemany(
                    "INSERT OR IGNORE INTO value (kind, token, sealed) VALUES (?, ?, ?)",
                    zip(rows["kind"], rows["token"], rows["sealed"], strict=True),
                )
    finally:
        con.close()


def reveal(database: Path, key: bytes, token: str) -> str | None:
    """Return the clear text behind a token, or None if the vault does not have it.

    Raises:
        ValueError: it was sealed with another key.
    """
    if not database.exists():
        return None
    con = sqlite3.connect(database)
    try:
        found = con.execute("SELECT kind, sealed FROM value WHERE token = ?", (token,)).fetchall()
    finally:
        con.close()
    if not found:
        return None
    kind, sealed = found[0]
    try:
        return AESSIV(_sealing_key(key)).decrypt(sealed, [kind.encode()]).decode()
    except InvalidTag:
        raise ValueError(f"{database}: {token} was sealed with another key than {key_id(key)}") from None


def opens(database: Path, key: bytes) -> bool:
    """Tell whether a key opens what is sealed in a vault; one value tells, and an empty vault opens with any."""
    if not database.exists():
        return True
    con = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        has_values = con.execute("SELECT 1 FROM sqlite_master WHERE name = 'value'").fetchall()
        found = con.execute("SELECT token FROM value LIMIT 1").fetchall() if has_values else []
    finally:
        con.close()
    try:
        return not found or reveal(database, key, found[0][0]) is not None
    except ValueError:
        return False


def _sealing_key(key: bytes) -> bytes:
    return hmac.new(key, b"bidwatch vault", hashlib.sha512).digest()
