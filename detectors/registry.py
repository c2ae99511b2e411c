"""Finds the detectors by their path and gives each its limits.

Adding a detector is adding a file, adding a family is adding a folder: nothing is listed here. Limits come from the
module's ``Limits``, from ``thresholds.toml`` and from the installation's own file of that name; a name that does not
exist there is an error. What a detector has earned (its status) it has earned with the limits of ``measured.toml``,
with which the last report was made: looser ones make it experimental.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from detectors import overlay
from detectors.closure import closure, code_hash
from detectors.interface import Detector, Need, Screen, Status, completed

ROOT = Path(__file__).parent
THRESHOLDS = ROOT / "thresholds.toml"
MEASURED = ROOT / "measured.toml"


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
    every result, so no version is kept by hand. ``loosened`` names the limits that are looser than those with which
    the report was made; None where it was not in the report.
    """

    id: str
    module: ModuleType
    family: Family
    facts: Detector
    limits: object
    version: str
    limits_version: str
    loosened: tuple[str, ...] | None

    @property
    def status(self) -> Status:
        """How far the detector is trusted with the limits in force: what it earned, it earned with those measured."""
        return Status.EXPERIMENTAL if self.loosened or self.loosened is None else self.facts.status

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


def load(thresholds: Path = THRESHOLDS, *, local: Path | None = None) -> list[Loaded]:
    """Return every detector with its limits.

    Args:
        thresholds: limits that differ from the defaults.
        local: an installation's folder of reference data; its ``thresholds.toml`` is put over the other one, limit by
            limit, and its other files are part of the versions of the detectors that read them.

    Raises:
        ValueError: a file names a detector or a limit that does not exist, or gives a value of the wrong type.
    """
    overrides = _limits(thresholds)
    if own := overlay.own(local, THRESHOLDS.name):
        overrides = overlay.put_over(overrides, _limits(own), levels=2)
    measured = _limits(MEASURED)
    return [_load(id, overrides.get(id, {}), measured.get(id), local) for id in ids()]


def _limits(path: Path) -> dict[str, Mapping[str, Any]]:
    """Return the limits of a file by detector."""
    limits_of = {
        f"{family}.{name}": limits
        for family, detectors in overlay.read_toml(path).items()
        for name, limits in detectors.items()
    }
    known = ids()
    if unknown := sorted(set(limits_of) - set(known)):
        raise ValueError(f"{path}: no detector called {unknown[0]!r}; there are {known}")
    return limits_of


def _load(
    id: str, overrides: Mapping[str, Any], measured: Mapping[str, Any] | None, local: Path | None
) -> Loaded:
    module = importlib.import_module(f"detectors.{id}")
    defaults = {field.name: field.default for field in fields(module.Limits)}
    for name, value in overrides.items():
        if name not in defaults:
            raise ValueError(f"{id}: no limit called {name!r}; it has {sorted(defaults)}")
        if type(value) is not type(defaults[name]):
            raise ValueError(f"{id}: limit {name!r} must be {type(defaults[name]).__name__}")
    limits = module.Limits(**overrides)
    values = asdict(limits)
    return Loaded(
        id=id,
        module=module,
        family=families()[id.split(".")[0]],
        facts=module.DETECTOR,
        limits=limits,
        version=_version(id, local),
        # Not canonical_json, which stands above: what was stored with evidence must not move.
        limits_version=hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12],
        loosened=None if measured is None else loosened(values, measured),
    )


def loosened(limits: Mapping[str, Any], measured: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the limits that are looser than those with which the report was made.

    ``max_…`` is looser when it is larger, ``min_…`` when it is smaller; of any other name, and of a limit that the report
    did not know, every difference counts.
    """

    def is_looser(name: str) -> bool:
        if name not in measured:
            return True
        was, now = measured[name], limits[name]
        if name.startswith("max_"):
            return bool(now > was)
        if name.startswith("min_"):
            return bool(now < was)
        return bool(now != was)

    return tuple(name for name in limits if is_looser(name))


def written(detectors: Iterable[Loaded]) -> str:
    """Return the text of ``measured.toml`` for a report that was made with these limits."""
    lines = [
        "# The limits with which detectors/REPORT.md was made. Written by `make detector-report`; do not edit:",
        "# a detector whose limits in force are looser than these is experimental, whatever it had earned.",
    ]
    for detector in detectors:
        values = asdict(detector.limits)  # type: ignore[call-overload]
        lines += [
            "",
            f"[{detector.id}]",
            *(f"{name} = {json.dumps(value)}" for name, value in values.items()),
        ]
    return "\n".join(lines) + "\n"


def _version(id: str, local: Path | None) -> str:
    used = closure(f"detectors.{id}")
    read = sorted({name for module in used for name in _reads(module)})
    files = [path for name in read for path in (overlay.SHIPPED / name, overlay.own(local, name)) if path]
    return code_hash(used, [path.read_bytes() for path in files])


def _reads(module: str) -> tuple[str, ...]:
    """Return the files of ``data/reference`` that a module reads, by its own word."""
    return getattr(importlib.import_module(module), "REFERENCE_DATA", ())
