"""What a module really uses: its own source and that of every module of the project that it imports, directly or not.

The version of a detector, of a snapshot and of typed rows is the hash of such a closure, so that a change moves exactly
the versions of what uses it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


def closure(*modules: str) -> tuple[str, ...]:
    """Return these modules and all project modules that they import, by dotted name, sorted.

    Imports inside functions count. A package counts where something of its ``__init__`` is imported.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports(module)
    return tuple(sorted(found))


def code_hash(modules: Iterable[str], data: Iterable[bytes] = ()) -> str:
    """Return the hash of the sources of modules and of data, in this order."""
    digest = hashlib.sha256()
    for part in (*(source(module) for module in modules), *data):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


@cache
def source(module: str) -> bytes:
    """Return the source of a project module."""
    path = _file(module)
    if path is None:
        raise ValueError(f"{module} is no module of this project")
    return path.read_bytes()


@cache
def imports(module: str) -> tuple[str, ...]:
    """Return the project modules that a module names in its import statements, sorted."""
    found = set()
    for node in ast.walk(ast.parse(source(module))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if _file(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found |= {name for name in (inner if _file(inner) else node.module,) if _file(name)}
    return tuple(sorted(found - {module}))


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file() and file.relative_to(ROOT).parts[0] in ("detectors", "pipelines", "reports"):
            return file
    return None
