"""Stations look down only: the graph of folders, drawn from the imports, has no arrow that climbs."""

import ast

import pytest
from places import REPO

from detectors.registry import families

#: The house from the ground up. An import goes to a lower floor or stays in its room; rooms of one floor do not know
#: each other. A folder is a room; so is each module that stands at ``pipelines/``, ``pipelines/casework/``,
#: ``detectors/`` or ``detectors/kernels/`` itself.
FLOORS = (
    ("detectors.closure", "detectors.interface", "detectors.overlay"),
    ("detectors.kernels.needs",),
    ("detectors.kernels.prices", "detectors.kernels.claims"),
    ("detectors.kernels.rules", "detectors.kernels.firms"),
    ("detectors.kernels.texts", "detectors.kernels.market_studies"),
    ("detectors.<family>", "detectors.ocds"),
    ("detectors.registry",),
    ("reports.handed_out",),
    ("reports",),
    ("pipelines.reference", "pipelines.times", "pipelines.files"),
    ("pipelines.settings", "pipelines.duck", "pipelines.vault"),
    ("pipelines.store",),
    ("pipelines.audit", "pipelines.installation"),
    ("pipelines.values",),
    ("pipelines.intake.readers",),
    ("pipelines.intake",),
    ("pipelines.snapshot",),
    ("pipelines.rings",),
    ("pipelines.findings",),
    ("pipelines.indicators", "pipelines.simulator"),
    (
        "pipelines.casework.acts",
        "pipelines.casework.document_numbers",
        "pipelines.casework.offices",
        "pipelines.casework.risk_classes",
    ),
    ("pipelines.casework.cases", "pipelines.casework.clocks", "pipelines.casework.alert_labels"),
    (
        "pipelines.casework.complaints",
        "pipelines.casework.draws",
        "pipelines.casework.referrals",
        "pipelines.casework.suppressions",
    ),
    (
        "pipelines.casework.deliveries",
        "pipelines.casework.watchlist",
        "pipelines.casework.trading_data_exports",
    ),
    ("pipelines.casework.case_queue", "pipelines.casework.figures"),
    ("pipelines.publishing",),
    ("pipelines.night_report",),
    ("pipelines.night",),
    ("pipelines.nightly", "pipelines.workshop"),
    ("pipelines.commands",),
    ("pipelines.cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
OPEN = ("pipelines", "pipelines.casework", "detectors", "detectors.kernels")


def modules():
    """Every module of the three packages by dotted name."""
    found = {}
    for top in ("pipelines", "detectors", "reports"):
        for path in (REPO / top).rglob("*.py"):
            parts = path.relative_to(REPO).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def room(module):
    is_package = MODULES[module].name == "__init__.py"
    folder = module if is_package else module.rpartition(".")[0]
    if folder in OPEN:
        return module
    family = folder.removeprefix("detectors.")
    return "detectors.<family>" if family in families() else folder


def imports(module):
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def test_every_folder_has_its_floor():
    rooms = {room(module) for module in MODULES} - set(OPEN)
    assert rooms - set(FLOOR) == set(), "say in FLOORS where the new room stands"
    assert set(FLOOR) - rooms == set(), "FLOORS names a room that is gone"


def test_a_package_of_rooms_holds_no_code():
    # Its __init__ would be a room on every floor.
    for package in OPEN:
        body = ast.parse(MODULES[package].read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) for node in body), package


@pytest.mark.parametrize("module", sorted(MODULES))
def test_an_import_looks_down(module):
    climbs = [
        f"{module} imports {named}"
        for named in imports(module)
        if room(named) not in (room(module), *OPEN) and FLOOR[room(named)] >= FLOOR[room(module)]
    ]
    assert climbs == []


def test_detectors_know_each_other_by_kernels_only():
    for module in MODULES:
        if room(module) == "detectors.<family>":
            known = {named for named in imports(module) if room(named) == "detectors.<family>"}
            assert known == set(), f"{module} imports {known}"
