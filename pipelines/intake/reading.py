"""Raw files to bronze: every file that lacks its bronze is read, each in its own child process."""

from __future__ import annotations

import os
import shutil
import sqlite3
from functools import cache, partial
from pathlib import Path

from pipelines import files, vault
from pipelines.installation import secret_key
from pipelines.intake import bronze, mapping
from pipelines.intake.file_report import FileReport
from pipelines.intake.sandbox import Readers
from pipelines.settings import Home, Progress
from pipelines.store import Store

READERS = 2  # files that are read side by side

#: A reading process takes seconds to start: a second one pays from so many files, or bytes, on.
FILES_OF_A_READER = 16
BYTES_OF_A_READER = 32 << 20


def read_files(home: Home, store: Store, *, progress: Progress) -> int:
    """Make the bronze of every file that lacks it. Returns how many were read."""
    key = secret_key(home, store)
    waiting = []
    load = cache(partial(mapping.load, home_sources=home.sources))
    for file in store.rows(
        "SELECT raw_sha, source, name, bytes, bronze, code FROM file ORDER BY first_arrival"
    ):
        try:
            sender = load(file["source"])
        except (FileNotFoundError, ValueError) as error:
            _refuse(store, file["raw_sha"], "NO_MAPPING", str(error), f"来源 {file['source']} 没有可用的映射")
            continue
        folder = home.bronze_of(file["raw_sha"], bronze.version(sender, file["name"], key, home.reference))
        if not (folder / "report.json").is_file():
            waiting.append((file, sender, folder))
        elif file["bronze"] != folder.name or file["code"] == "NO_MAPPING":
            _adopt(store, file["raw_sha"], folder)
    with Readers(_readers_for([file["bytes"] for file, _, _ in waiting])) as readers:
        jobs = [_job(home, key, *each) for each in waiting]
        for place, outcome in enumerate(readers.read(jobs)):
            progress("read 读取", place, len(waiting))
            file, _, folder = waiting[place]
            out = Path(jobs[place].out)
            if outcome.code == "READER_STOPPED":
                if (out / "fault.txt").exists():
                    folder.parent.mkdir(exist_ok=True)
                    (out / "fault.txt").replace(folder.parent / "fault.txt")
                shutil.rmtree(out)
                _refuse(store, file["raw_sha"], outcome.code, str(outcome.reason), str(outcome.reason_zh))
                continue
            if (out / "sealed.parquet").exists():
                vault.store(home.vault, [out / "sealed.parquet"])
            folder.parent.mkdir(exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            out.rename(folder)
            files.sync_folder(folder.parent)
            _adopt(store, file["raw_sha"], folder)
    return len(waiting)


def _readers_for(sizes: list[int]) -> int:
    """Return how many processes read files of these sizes, in bytes."""
    return min(READERS, 1 + len(sizes) // FILES_OF_A_READER + sum(sizes) // BYTES_OF_A_READER)


def _job(home: Home, key: bytes, file: sqlite3.Row, sender: mapping.Mapping, folder: Path) -> bronze.Job:
    out = home.bronze / f".{folder.parent.name[:16]}.{os.getpid()}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return bronze.Job(
        raw=str(home.raw / file["raw_sha"]),
        raw_sha=file["raw_sha"],
        file_name=file["name"],
        mapping=str(mapping.path_of(sender.source, home.sources)),
        out=str(out),
        key=key.hex(),
        local=str(home.reference.local),
    )


def _refuse(store: Store, raw_sha: str, code: str, reason: str, reason_zh: str) -> None:
    with store.transaction() as con:
        con.execute(
            "UPDATE file SET state = 'refused', code = ?, reason = ?, reason_zh = ? WHERE raw_sha = ?",
            (code, reason, reason_zh, raw_sha),
        )


def _adopt(store: Store, raw_sha: str, folder: Path) -> None:
    """Note which bronze a file has; a refused file is finished here."""
    outcome = FileReport.load(folder)
    state = "refused" if outcome.state == "refused" else "received"
    with store.transaction() as con:
        con.execute(
            "UPDATE file SET bronze = ?, state = ?, code = ?, reason = ?, reason_zh = ? WHERE raw_sha = ?",
            (folder.name, state, outcome.code, outcome.reason, outcome.reason_zh, raw_sha),
        )
