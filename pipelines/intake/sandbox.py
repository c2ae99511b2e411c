"""Reads every untrusted file in a throw-away child process with limits and no network.

A crafted file may crash a parser, eat memory or never end; DuckDB and others do not call that a
vulnerability. So each file is read by a process that is forked for it, is limited, and dies. One
server process loads the libraries once (great_expectations takes seconds) and does the forking.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import IO, Any

from pipelines.intake.bronze import Job, make
from pipelines.intake.file_report import FileReport
from pipelines.intake.mapping import load_file
from pipelines.intake.readers import FileRefused, record_texts

MEMORY_BYTES = 6 << 30  # address space of one child; resident memory stays below 2 GiB (make bench)
CPU_SECONDS = 900
WALL_SECONDS = 1800
FILE_BYTES = 8 << 30  # largest file a child may write
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


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


#: What a child can be asked to do.
_TASKS: dict[str, type[Job] | type[Lookup] | type[Filled]] = {
    "Job": Job,
    "Lookup": Lookup,
    "Filled": Filled,
}


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
        return FileReport(
            file_name=job.file_name,
            raw_sha=job.raw_sha,
            state="refused",
            code="READER_STOPPED",
            reason=f"reading this file was stopped ({died}); it may be damaged or hostile",
            reason_zh=f"读取该文件时被中止（{died}），文件可能已损坏或含恶意内容",
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
        """Return the fields of `casework.receipt_forms.Form` for a list that came back.

        Raises:
            ValueError: the file cannot be taken; the message says why and what to do.
        """
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
            died = self._do(replace(filled, out=folder))
            if died is not None:
                raise ValueError(
                    f"{filled.file_name}: reading it was stopped ({died}); it may be damaged or hostile"
                )
            found: dict[str, Any] = json.loads((Path(folder) / "form.json").read_text(encoding="utf-8"))
        if "refused" in found:
            raise ValueError(f"{filled.file_name}: {found['refused']}")
        return found

    def _do(self, task: Job | Lookup | Filled) -> str | None:
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
                [sys.executable, "-m", "pipelines.intake.sandbox"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=os.environ | single,
            )
        return self._server


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


def serve(jobs: IO[str], answers: IO[str]) -> None:
    """Fork a limited child for every job that comes in."""
    for line in jobs:
        kind, task = json.loads(line)
        if kind == "Job":
            _load_libraries()
        child = os.fork()
        if child == 0:
            _be_the_child(_TASKS[kind](**task))
        answers.write(json.dumps({"died": _wait(child)}) + "\n")
        answers.flush()


@cache
def _load_libraries() -> None:
    """Load once, before forking, what every child would have to load; a look-up needs none of it."""
    for module in ("counting", "workbook", "ocds", "word", "pdf", "workbook_text"):
        import_module(f"pipelines.intake.readers.{module}")
    import_module("pipelines.duck")
    from pipelines.intake.checking import warm

    warm()


def _be_the_child(task: Job | Lookup | Filled) -> None:
    """Limit this process, do the task, and exit without returning."""
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # nothing a parser prints may look like an answer
        leave_the_network()
        for limit, value in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(limit, (value, value))
        if isinstance(task, Job):
            make(task)
        elif isinstance(task, Lookup):
            _look_up(task)
        else:
            _take_back(task)
        status = 0
    except MemoryError:
        status = 77
    finally:
        if status == 1:
            (Path(task.out) / "fault.txt").write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(status)


def _look_up(lookup: Lookup) -> None:
    rule = load_file(Path(lookup.mapping)).rule_for(lookup.file_name)
    wanted = [(section, row) for section, row in lookup.records]
    records = record_texts(Path(lookup.raw), rule, lookup.file_name, Path(lookup.out), wanted)
    (Path(lookup.out) / "records.json").write_text(json.dumps(records), encoding="utf-8")


def _take_back(filled: Filled) -> None:
    from pipelines.intake.readers.receipt_form import take_apart

    found: dict[str, object]
    try:
        found = asdict(take_apart(Path(filled.raw), Path(filled.out)))
    except FileRefused as refused:
        found = {"refused": f"{refused.reason} / {refused.reason_zh}"}
    (Path(filled.out) / "form.json").write_text(json.dumps(found), encoding="utf-8")


def leave_the_network() -> bool:
    """Move this process into an empty network namespace; False where the system does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def can_leave_the_network() -> bool:
    """Try it in a child: does this system allow empty network namespaces?"""
    child = os.fork()
    if child == 0:
        os._exit(0 if leave_the_network() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _wait(child: int) -> str | None:
    """Wait for the child; say in words how it died, or None if it finished."""
    deadline = time.monotonic() + WALL_SECONDS
    pause = 0.002
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"longer than {WALL_SECONDS} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    code = os.WEXITSTATUS(status)
    if code == 77:
        return f"more than {MEMORY_BYTES >> 30} GiB of memory"
    return None if code == 0 else f"fault in the reader, exit {code}; see bronze/<hash>/fault.txt"


if __name__ == "__main__":
    os.umask(0o077)
    serve(sys.stdin, sys.stdout)
