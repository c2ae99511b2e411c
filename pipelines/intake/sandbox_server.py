"""The process behind ``sandbox``: it loads the libraries once and forks a limited child for every file.

great_expectations takes seconds to load, and a fork has it at once. Run as a module; tasks come in as JSON
lines, and one line answers each: how the child died, or null.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import asdict
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import IO

from pipelines.intake import first_mapping, readers, returned_list
from pipelines.intake.bronze import REFERENCE_DATA, Job, make
from pipelines.intake.mapping import load_file
from pipelines.intake.readers import FileRefused, record_texts
from pipelines.intake.sandbox import Filled, Lookup, NewSender, Task
from pipelines.reference import Reference

MEMORY_BYTES = 6 << 30  # address space of one child; resident memory stays below 2 GiB (make bench)
CPU_SECONDS = 900
WALL_SECONDS = 1800
FILE_BYTES = 8 << 30  # largest file a child may write
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000

_TASKS: dict[str, type[Task]] = {kind.__name__: kind for kind in (Job, Lookup, Filled, NewSender)}


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
    """Load once, before forking, what every child would have to load. Only reading a file needs all of it."""
    for module in iter_modules(readers.__path__, f"{readers.__name__}."):
        import_module(module.name)
    from pipelines.intake.checking import warm

    for name in REFERENCE_DATA:
        Reference().rows(name)
    warm()
    gc.collect()
    gc.freeze()  # else the first collection of every child would copy the pages of all that is loaded


def _be_the_child(task: Task) -> None:
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
        elif isinstance(task, NewSender):
            _draft_mapping(task)
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
    found: dict[str, object]
    try:
        found = asdict(returned_list.take_apart(Path(filled.raw), Path(filled.out)))
    except FileRefused as refused:
        found = {"refused": f"{refused.reason} / {refused.reason_zh}"}
    (Path(filled.out) / "list.json").write_text(json.dumps(found), encoding="utf-8")


def _draft_mapping(new: NewSender) -> None:
    found: dict[str, object]
    try:
        found = asdict(first_mapping.draft(Path(new.raw), new.file_name, Path(new.out)))
    except FileRefused as refused:
        found = {"refused": [refused.code, refused.reason, refused.reason_zh]}
    (Path(new.out) / "mapping.json").write_text(json.dumps(found), encoding="utf-8")


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
    gc.unfreeze()  # else DuckDB complains at the end of what nobody collects
