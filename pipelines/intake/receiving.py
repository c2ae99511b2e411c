"""Inbox to raw: exact bytes under their own hash, and a note of every arrival."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pipelines import audit, files
from pipelines.settings import Home
from pipelines.store import Store

CHUNK = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """One delivered file, as found in the inbox or named on the command line."""

    source: str
    path: Path


def waiting(inbox: Path) -> list[Arrival]:
    """Return the files in an inbox, by source and name.

    What has a dot before its name, or lies in such a folder, is still being written.
    """
    folders = sorted(folder for folder in inbox.iterdir() if folder.is_dir())
    return [
        Arrival(_readable(folder.name), path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(inbox).parts)
    ]


def _readable(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 (a name in GBK) are shown as numbers."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def receive(
    home: Home, store: Store, arrivals: list[Arrival], *, at: str, actor: str, move: bool
) -> list[str]:
    """Take files in: copy the bytes to ``raw``, then write the arrival down.

    The same bytes again add an arrival and nothing else. If the process is killed half-way, the file is still
    in the inbox and is taken in the next time.

    Args:
        home: the installation.
        store: its control store.
        arrivals: what to take in.
        at: UTC time of the arrival, ISO 8601.
        actor: who delivers.
        move: remove the files from where they lay, after all is written.

    Returns:
        SHA-256 of each file, in the order given.
    """
    hashes = []
    for arrival in arrivals:
        raw_sha, size = keep(home, arrival.path)
        name = _readable(arrival.path.name)
        hashes.append(raw_sha)
        with store.transaction() as con:
            number = con.execute(
                "INSERT INTO arrival (source, name, raw_sha, received_at, actor) VALUES (?, ?, ?, ?, ?)",
                (arrival.source, name, raw_sha, at, actor),
            ).lastrowid
            con.execute(
                # A refused file may come again under the right source or name; any other is a repeat.
                "INSERT INTO file (raw_sha, source, name, bytes, first_arrival) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (raw_sha) DO UPDATE SET source = excluded.source, name = excluded.name,"
                " state = 'received', bronze = NULL WHERE state = 'refused'",
                (raw_sha, arrival.source, name, size, number),
            )
            audit.append(
                con,
                at=at,
                actor=actor,
                verb="receive",
                subject=raw_sha,
                source=arrival.source,
                arrival=number,
            )
        if move:
            arrival.path.unlink()
    return hashes


def keep(home: Home, path: Path) -> tuple[str, int]:
    """Copy a file into ``raw`` while hashing it; the name appears only when the bytes are safe."""
    digest = hashlib.sha256()
    size = 0
    temporary = home.raw / f".receiving.{os.getpid()}"
    with path.open("rb") as source, temporary.open("wb") as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    raw_sha = digest.hexdigest()
    final = home.raw / raw_sha
    if final.exists():
        temporary.unlink()
    else:
        temporary.chmod(0o400)
        temporary.rename(final)
        files.sync_folder(home.raw)
    return raw_sha, size
