"""Finds the detectors by their path and gives each its limits.

Adding a detector is adding a file, adding a family is adding a folder: nothing is listed here. Limits come from the
module's ``Limits``, from ``thresholds.toml`` and from the installation's own file of that name; a name that does not
exist there is an error.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from detectors.closure import closure, code_hash
from detectors.interface import Detector, Need, Screen, completed

ROOT = Path(__file__).parent
THRESHOLDS = ROOT / "thresholds.toml"
REFERENCE = ROOT.parent / "data" / "reference"


@dataclass(frozen=True)
class Family:
    """A folder of detectors: what its ``__init__`` says of it.

    ``explanation_zh``: innocent explanations of such evidence, as they stand in a letter.
    """

    id: str
    title: str
    title_zh: str
    explanation_zh: str


@dataclass(frozen=True)
class Loaded:
    """One detector, ready to run.

    ``version`` is the hash of the detector's source, of every module that it imports, and of the reference data that
    these read: it changes when they do. ``limits_version`` is the hash of the limits in force. Both are stored with
    every result, so no version is kept by hand.
    """

    id: str
    module: ModuleType
    family: Family
    facts: Detector
    limits: object
    version: str
    limits_version: str

    @property
    def screen(self) -> Screen:
        """The module's ``screen`` function; its frame has every column of ``SCREEN_COLUMNS``."""
        return lambda engine, limits: completed(self.module.screen(engine, limits))

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a unit must have to be judged."""
        needs: tuple[Need, ...] = self.module.NEEDS
        return needs


@cache
def families() -> dict[str, Family]:
    """Return the families by id, in alphabetical order: the folders whose ``__init__`` has a TITLE_ZH."""
    found = {}
    for init in sorted(ROOT.glob("*/__init__.py")):
        package = importlib.import_module(f"detectors.{init.parent.name}")
        if hasattr(package, "TITLE_ZH"):
            found[init.parent.name] = Family(
                init.parent.name, package.TITLE, package.TITLE_ZH, package.EXPLANATION_ZH
            )
    return found


def ids() -> list[str]:
    """Return the id of every detector file, in alphabetical order."""
    return sorted(
        f"{family}.{path.stem}"
        for family in families()
        for path in (ROOT / family).glob("*.py")
        if path.stem != "__init__"
    )


def load(thresholds: Path = THRESHOLDS) -> list[Loaded]:
    """Return every detector with its limits.

    Raises:
        ValueError: ``thresholds`` names a detector or a limit that does not exist, or gives a
            value of the wrong type.
    """
    overrides = tomllib.loads(thresholds.read_text(encoding="utf-8"))
    tables = {
        f"{family}.{name}": limits
        for family, detectors in overrides.items()
        for name, limits in detectors.items()
    }
    known = ids()
    if unknown := sorted(set(tables) - set(known)):
        raise ValueError(f"{thresholds.name}: no detector called {unknown[0]!r}; there are {known}")
    return [_load(id, tables.get(id, {})) for id in known]


def _load(id: str, overrides: Mapping[str, Any]) -> Loaded:
    module = importlib.import_module(f"detectors.{id}")
    defaults = {field.name: field.default for field in fields(module.Limits)}
    for name, value in overrides.items():
        if name not in defaults:
            raise ValueError(f"{id}: no limit called {name!r}; it has {sorted(defaults)}")
        if type(value) is not type(defaults[name]):
            raise ValueError(f"{id}: limit {name!r} must be {type(defaults[name]).__name__}")
    limits = module.Limits(**overrides)
    values = json.dumps(asdict(limits), sort_keys=True).encode()
    return Loaded(
        id=id,
        module=module,
        family=families()[id.split(".")[0]],
        facts=module.DETECTOR,
        limits=limits,
        version=_version(id),
        limits_version=hashlib.sha256(values).hexdigest()[:12],
    )


@cache
def _version(id: str) -> str:
    used = closure(f"detectors.{id}")
    read = sorted({name for module in used for name in _reads(module)})
    return code_hash(used, [(REFERENCE / name).read_bytes() for name in read])


def _reads(module: str) -> tuple[str, ...]:
    """Return the files of ``data/reference`` that a module reads, by its own word."""
    return getattr(importlib.import_module(module), "REFERENCE_DATA", ())
