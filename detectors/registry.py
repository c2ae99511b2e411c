"""Finds the detectors by their path and gives each its limits.

Adding a detector is adding a file: nothing is listed here. Limits come from the module's
``Limits`` and from ``thresholds.toml``; a name that does not exist there is an error.
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

from detectors.contract import Detector, Screen

ROOT = Path(__file__).parent
THRESHOLDS = ROOT / "thresholds.toml"
AWARD_RULES = ROOT.parent / "data" / "reference" / "award_rules.toml"


@dataclass(frozen=True)
class Loaded:
    """One detector, ready to run.

    ``version`` is the hash of the module's source, of the kernels that detectors share and of the award
    rules: it changes when they do.
    ``limits_version`` is the hash of the limits in force. Both are stored with every result, so
    no version is kept by hand.
    """

    id: str
    module: ModuleType
    facts: Detector
    limits: object
    version: str
    limits_version: str

    @property
    def screen(self) -> Screen:
        """The module's ``screen`` function."""
        screen: Screen = self.module.screen
        return screen


def ids() -> list[str]:
    """Return the id of every detector file, in alphabetical order."""
    return sorted(
        f"{path.parent.name}.{path.stem}" for path in ROOT.glob("*/*.py") if path.stem != "__init__"
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


@cache
def _shared_source() -> bytes:
    # The OCDS indicators stand beside the detectors and are used by none.
    kernels = [path for path in ROOT.glob("*.py") if not path.stem.startswith(("registry", "ocds_"))]
    return b"".join(path.read_bytes() for path in [*sorted(kernels), AWARD_RULES])


def _load(id: str, overrides: Mapping[str, object]) -> Loaded:
    module = importlib.import_module(f"detectors.{id}")
    defaults = {field.name: field.default for field in fields(module.Limits)}
    for name, value in overrides.items():
        if name not in defaults:
            raise ValueError(f"{id}: no limit called {name!r}; it has {sorted(defaults)}")
        if type(value) is not type(defaults[name]):
            raise ValueError(f"{id}: limit {name!r} must be {type(defaults[name]).__name__}")
    limits = module.Limits(**overrides)
    source = Path(str(module.__file__)).read_bytes() + _shared_source()
    values = json.dumps(asdict(limits), sort_keys=True).encode()
    return Loaded(
        id=id,
        module=module,
        facts=module.DETECTOR,
        limits=limits,
        version=hashlib.sha256(source).hexdigest()[:12],
        limits_version=hashlib.sha256(values).hexdigest()[:12],
    )
