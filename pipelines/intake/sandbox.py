"""Reads every untrusted file in a throw-away child process with limits and no network.

A crafted file may crash a parser, eat memory or never end; DuckDB and others do not call that a
vulnerability. So each file is read by a process that is forked for it, is limited, and dies. This module is
what callers use; ``sandbox_server`` does the forking.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Any

from pipelines.intake.bronze import Job
from pipelines.intake.file_report import FileReport
from pipelines.intake.first_mapping import FirstMapping
from pipelines.intake.readers import FileRefused


@dataclass(frozen=True)
class Lookup:
    """Records of one raw file that somebody wants to see as they were delivered."""

    raw: str
    file_name: str
    mapping: str
    records: list[tuple[str, int]]
    out: str = ""


@dataclass(frozen=True)
class Filled:
    """An alert list that an office filled in and sent back."""

    raw: str
    file_name: str
    out: str = ""


@dataclass(frozen=True)
class NewSender:
    """A file of a sender who has no mapping yet."""

    raw: str
    file_name: str
    out: str = ""


#: What a child can be asked to do. The answer stands in the folder ``out``.
Task = Job | Lookup | Filled | NewSender


class Sandbox:
    """A server that reads one file at a time, each in its own child.

    Use as a context manager; the server starts with the first file.
    """

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            assert self._server.stdin is not None
            self._server.stdin.close()
            self._server.wait(timeout=60)

    def read(self, job: Job) -> FileReport:
        """Read one file into ``job.out`` and return its report.

        A child that dies gives a report with state ``refused``: the night goes on.
        """
        died = self._do(job)
        if died is None:
            return FileReport.load(Path(job.out))
        stopped = _stopped(died)
        return FileReport(
            file_name=job.file_name,
            raw_sha=job.raw_sha,
            state="refused",
            code=stopped.code,
            reason=stopped.reason,
            reason_zh=stopped.reason_zh,
        )

    def look_up(self, lookup: Lookup) -> list[dict[str, str | None]]:
        """Return the wanted records, in their order, column by column as delivered.

        Raises:
            RuntimeError: the file cannot be read any more.
        """
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
            died = self._do(replace(lookup, out=folder))
            if died is not None:
                raise RuntimeError(f"{lookup.file_name}: reading it again was stopped ({died})")
            found: list[dict[str, str | None]] = json.loads(
                (Path(folder) / "records.json").read_text(encoding="utf-8")
            )
            return found

    def take_back(self, filled: Filled) -> dict[str, list[Any]]:
        """Return the fields of `returned_list.ReturnedList`.

        Raises:
            ValueError: the file cannot be taken; the message says why and what to do.
        """
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
            died = self._do(replace(filled, out=folder))
            if died is not None:
                raise ValueError(
                    f"{filled.file_name}: reading it was stopped ({died}); it may be damaged or hostile"
                )
            found: dict[str, Any] = json.loads((Path(folder) / "list.json").read_text(encoding="utf-8"))
        if "refused" in found:
            raise ValueError(f"{filled.file_name}: {found['refused']}")
        return found

    def first_mapping(self, new: NewSender) -> FirstMapping:
        """Return the first mapping for a file.

        Raises:
            FileRefused: none can be made of it, or reading it was stopped.
        """
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
            died = self._do(replace(new, out=folder))
            if died is not None:
                raise _stopped(died)
            found = json.loads((Path(folder) / "mapping.json").read_text(encoding="utf-8"))
        if "refused" in found:
            raise FileRefused(*found["refused"])
        return FirstMapping(**found)

    def _do(self, task: Task) -> str | None:
        """Have one task done by a child; say how it died, or None."""
        server = self._start()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps([type(task).__name__, asdict(task)]) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        if not answer:
            raise RuntimeError("the reading process ended unexpectedly; run the command again")
        died: str | None = json.loads(answer)["died"]
        return died

    def _start(self) -> subprocess.Popen[str]:
        if self._server is None:
            # One BLAS thread: the server must have no other threads when it forks.
            single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
            self._server = subprocess.Popen(
                [sys.executable, "-m", "pipelines.intake.sandbox_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=os.environ | single,
            )
        return self._server


def _stopped(died: str) -> FileRefused:
    return FileRefused(
        "READER_STOPPED",
        f"reading this file was stopped ({died}); it may be damaged or hostile",
        f"读取该文件时被中止（{died}），文件可能已损坏或含恶意内容",
    )


class Readers:
    """Several sandboxes that share the files of a night. Use as a context manager."""

    def __init__(self, count: int) -> None:
        self._free: Queue[Sandbox] = Queue()
        self._sandboxes = [Sandbox() for _ in range(max(count, 1))]
        for sandbox in self._sandboxes:
            self._free.put(sandbox)
        self._threads = ThreadPoolExecutor(len(self._sandboxes))

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for sandbox in self._sandboxes:
            sandbox.__exit__(kind, error, trace)

    def read(self, jobs: list[Job]) -> Iterator[FileReport]:
        """Read the files side by side; the reports come in the order of the jobs."""
        return self._threads.map(self._read, jobs)

    def _read(self, job: Job) -> FileReport:
        sandbox = self._free.get()
        try:
            return sandbox.read(job)
        finally:
            self._free.put(sandbox)
