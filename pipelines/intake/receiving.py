"""Inbox to raw: exact bytes under their own hash, and a note of every arrival.

Everybody who delivers may write into the inbox, and nobody there is trusted. Every folder and file is opened from
the handle of the folder above it and never through a link, so nothing outside the inbox is read, moved or removed,
even if a folder is exchanged for a link meanwhile. What cannot be taken in is left where it lies and named.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines import audit, files
from pipelines.settings import Home
from pipelines.store import Store

CHUNK = 1 << 20

#: Folders below one another in an inbox: a sender's own order (year, month, day) needs a few.
MAX_DEPTH = 16

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True)
class Arrival:
    """One delivered file, as found in an inbox or named on the command line (``inbox`` is None)."""

    source: str
    path: Path
    inbox: Path | None = None


@dataclass(frozen=True)
class LeftBehind:
    """Something in an inbox that is not taken in: where it lies in the inbox, and why it stays there."""

    name: str
    reason: str
    reason_zh: str


class StillWritten(Exception):
    """A file changed while it was copied."""


def survey(inbox: Path, *, move: bool = True) -> tuple[list[Arrival], list[LeftBehind]]:
    """Return the files in an inbox that can be taken in, by source and name, and what else lies there.

    What has a dot before its name, or lies in such a folder, is still being written: it is neither. With ``move`` a
    file that could not be removed afterwards is left too: it would come in again every night.
    """
    arrivals: list[Arrival] = []
    left: list[LeftBehind] = []
    # The inbox itself may be a link: that is the installation's own choice.
    handle = os.open(inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for at, mode, reason in _entries(handle, (), move=move):
            if reason is None and stat.S_ISREG(mode):
                arrivals.append(Arrival(_readable(at[0]), inbox.joinpath(*at), inbox))
            elif reason:
                left.append(LeftBehind(_readable("/".join(at)), *reason))
    finally:
        os.close(handle)
    return arrivals, left


def _entries(
    folder: int, parts: tuple[str, ...], *, move: bool
) -> Iterator[tuple[tuple[str, ...], int, tuple[str, str] | None]]:
    """Yield where each entry below an open folder lies, its mode, and why it is left there, if it is."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("."):
            continue
        at, mode = (*parts, name), 0
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            reason = _reason(mode, at)
            if reason is None:
                handle = os.open(name, _FOLDER if stat.S_ISDIR(mode) else _FILE, dir_fd=folder)
                try:
                    if stat.S_ISDIR(mode):
                        yield from _entries(handle, at, move=move)
                    elif move and not os.access(".", os.W_OK, dir_fd=folder):
                        reason = (
                            "its folder does not let us remove it, so it would come in again every night;"
                            " make the folder writable for this user",
                            "所在文件夹不可写，无法移走，将每晚重复接收；请为本用户开放写权限",
                        )
                finally:
                    os.close(handle)
        except FileNotFoundError:
            continue  # taken away while we looked
        except OSError as error:
            reason = (f"it cannot be opened: {error.strerror}", f"无法打开：{error.strerror}")
        yield at, mode, reason


def _reason(mode: int, at: tuple[str, ...]) -> tuple[str, str] | None:
    """Return why something in an inbox is left there, in English and Chinese; None for what may be opened."""
    if stat.S_ISLNK(mode):
        return "a link is not followed; put the file itself here", "链接不予跟随；请放入文件本身"
    if stat.S_ISDIR(mode):
        if len(at) <= MAX_DEPTH:
            return None
        return (
            f"it lies more than {MAX_DEPTH} folders deep; put it higher up",
            f"所在文件夹超过{MAX_DEPTH}层；请移到上层",
        )
    if not stat.S_ISREG(mode):
        return "it is a device or a pipe and no file; take it away", "是设备或管道，不是文件；请移走"
    if len(at) == 1:
        return (
            "it lies in no source's folder; move it to inbox/<source>/",
            "不在任何来源的文件夹内；请移到 inbox/<来源>/",
        )
    return None


def _readable(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 (a name in GBK) are shown as numbers."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def receive(
    home: Home, store: Store, arrivals: list[Arrival], *, at: str, actor: str, move: bool
) -> list[str]:
    """Take files in: copy the bytes to ``raw``, then write the arrival down.

    The same bytes again add an arrival and nothing else. If the process is killed half-way, the file is still
    in the inbox and is taken in the next time. So is a file of an inbox that changed while it was copied, or was
    taken away.

    Args:
        home: the installation.
        store: its control store.
        arrivals: what to take in.
        at: UTC time of the arrival, ISO 8601.
        actor: who delivers.
        move: remove the files from where they lay, after all is written.

    Returns:
        SHA-256 of each file that was taken in, in the order given.

    Raises:
        OSError, StillWritten: a file that was named on the command line cannot be read whole.
    """
    hashes = []
    for arrival in arrivals:
        try:
            with _opened(arrival) as (handle, folder):
                raw_sha, size = keep(home, handle)
                hashes.append(raw_sha)
                _write_down(store, arrival, raw_sha, size, at=at, actor=actor)
                if move:
                    _remove(arrival, handle, folder)
        except (OSError, StillWritten):
            if arrival.inbox is None:
                raise
    return hashes


def _write_down(store: Store, arrival: Arrival, raw_sha: str, size: int, *, at: str, actor: str) -> None:
    name = _readable(arrival.path.name)
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


def sha256(arrival: Arrival) -> str | None:
    """Return the SHA-256 of an arrival's bytes; None if it is there no more."""
    try:
        with _opened(arrival) as (handle, _), os.fdopen(os.dup(handle), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def keep(home: Home, handle: int) -> tuple[str, int]:
    """Copy an open file into ``raw`` while hashing it; the name appears only when the bytes are safe.

    Returns:
        its SHA-256 and its size in bytes.

    Raises:
        StillWritten: the file changed meanwhile; nothing is kept.
    """
    digest = hashlib.sha256()
    size = 0
    temporary = home.raw / f".receiving.{os.getpid()}"
    before = os.fstat(handle)
    with temporary.open("wb") as target:
        while chunk := os.read(handle, CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    after = os.fstat(handle)
    if (before.st_mtime_ns, size) != (after.st_mtime_ns, after.st_size):
        temporary.unlink()
        raise StillWritten("the file changed while it was read; deliver it again when it is complete")
    raw_sha = digest.hexdigest()
    final = home.raw / raw_sha
    if final.exists():
        temporary.unlink()
    else:
        temporary.chmod(0o400)
        temporary.rename(final)
        files.sync_folder(home.raw)
    return raw_sha, size


@contextmanager
def _opened(arrival: Arrival) -> Iterator[tuple[int, int | None]]:
    """Open an arrival; give its handle and the handle of its folder in the inbox, if it has one.

    Raises:
        OSError: it cannot be opened, or is no plain file.
    """
    with ExitStack() as handles:
        folder: int | None = None
        name: str | Path = arrival.path
        flags = _FILE & ~os.O_NOFOLLOW  # who names a file by hand may name it by a link
        if arrival.inbox is not None:
            *parts, name = arrival.path.relative_to(arrival.inbox).parts
            folder = _held(handles, os.open(arrival.inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            for part in parts:
                folder = _held(handles, os.open(part, _FOLDER, dir_fd=folder))
            flags = _FILE
        handle = _held(handles, os.open(name, flags, dir_fd=folder))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(f"{arrival.path} is no file")
        yield handle, folder


def _held(handles: ExitStack, handle: int) -> int:
    handles.callback(os.close, handle)
    return handle


def _remove(arrival: Arrival, handle: int, folder: int | None) -> None:
    """Remove the file that was taken in from its folder, unless another one has its name by now."""
    name, kept = arrival.path.name, os.fstat(handle)
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if (found.st_dev, found.st_ino) == (kept.st_dev, kept.st_ino):
        os.unlink(name, dir_fd=folder)
