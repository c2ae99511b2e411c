"""The layout of the project stays easy to survey."""

import shutil
import subprocess
import sys
from pathlib import Path

from places import REPO

TOP_LEVEL = {
    "pipelines",
    "detectors",
    "data",
    "notebooks",
    "reports",
    "tests",
    "prefect.yaml",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "Makefile",
    "requirements.lock",
    ".gitignore",
    ".ci",
}


MADE = {".git", ".venv", ".prefect", "workspace", "dist", "bench", "uv.lock"}  # by git, make and the tools


def tracked():
    """The project's files: what git tracks, or what lies there when it came without git."""
    if shutil.which("git") and (REPO / ".git").exists():
        words = ["git", "-c", "core.quotepath=false", "ls-files"]
        listed = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=True).stdout
        return [Path(line) for line in listed.splitlines()]
    files = (path.relative_to(REPO) for path in REPO.rglob("*") if path.is_file())
    return [
        path
        for path in files
        if path.parts[0] not in MADE
        and not any(
            part.endswith(("_cache", "__pycache__", ".egg-info")) or part == ".hypothesis"
            for part in path.parts
        )
    ]


def test_nothing_else_stands_at_the_top():
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_tests_have_no_package_files():
    # tests/detectors/__init__.py would hide the real package.
    assert not [path for path in tracked() if path.parts[0] == "tests" and path.name == "__init__.py"]


def test_no_module_is_named_like_the_standard_library():
    # Prefect puts a flow's folder first on the path: pipelines/queue.py would hide queue.
    ours = {path.stem for path in tracked() if path.suffix == ".py" and path.parts[0] != "tests"} - {
        "__init__",
        "__main__",
    }
    assert not ours & set(sys.stdlib_module_names)


def test_the_lock_has_hashes_and_no_addresses():
    lock = (REPO / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    pinned = [line for line in lock.splitlines() if "==" in line]
    assert len(pinned) > 80
    assert all(line.rstrip().endswith("\\") for line in pinned)


def test_importing_a_detector_or_the_command_line_loads_neither_prefect_nor_great_expectations():
    heavy = ("prefect", "great_expectations", "scipy.stats", "networkx")
    code = f"import sys, pipelines.cli; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO
    ).stdout
    assert said.strip() == "[]"
