"""Which detectors are found, what status their limits leave them, and what their version depends on."""

import shutil

import pytest
from places import REPO

from detectors import closure, overlay, registry
from detectors.interface import Status

LADDER = "prices.ladder"


@pytest.fixture
def local(tmp_path):
    def put(text):
        (tmp_path / "thresholds.toml").write_text(text, encoding="utf-8")
        return {each.id: each for each in registry.load(local=tmp_path)}

    return put


def by_id():
    return {each.id: each for each in registry.load()}


def trusted():
    """A detector that has earned its status, with a `max_` and a `min_` limit."""
    return next(
        each
        for each in registry.load()
        if each.status is Status.TEST and {"max_p", "min_bids"} <= set(vars(each.limits))
    )


def test_what_was_measured_holds_with_the_default_limits():
    for detector in registry.load():
        assert detector.loosened == (), f"{detector.id}: run make detector-report, or make it experimental"
        assert detector.status is detector.facts.status


def test_a_looser_limit_makes_experimental_and_is_named(local):
    detector = trusted()
    found = local(f"[{detector.id}]\nmax_p = 0.9\n")[detector.id]
    assert (found.status, found.loosened) == (Status.EXPERIMENTAL, ("max_p",))
    found = local(f"[{detector.id}]\nmin_bids = 1\n")[detector.id]
    assert (found.status, found.loosened) == (Status.EXPERIMENTAL, ("min_bids",))


def test_a_stricter_limit_keeps_what_was_earned(local):
    detector = trusted()
    found = local(f"[{detector.id}]\nmax_p = 0.0001\nmin_bids = 30\n")[detector.id]
    assert (found.status, found.loosened) == (Status.TEST, ())
    assert found.limits.max_p == 0.0001
    assert found.limits_version != detector.limits_version


def test_a_limit_in_the_file_of_the_package_counts_the_same(tmp_path):
    path = tmp_path / "thresholds.toml"
    detector = trusted()
    path.write_text(f"[{detector.id}]\nmax_p = 0.9\n", encoding="utf-8")
    found = {each.id: each for each in registry.load(path)}
    assert found[detector.id].status is Status.EXPERIMENTAL


def test_a_detector_that_was_not_measured_is_experimental(monkeypatch, tmp_path):
    empty = tmp_path / "measured.toml"
    empty.write_text("", encoding="utf-8")
    monkeypatch.setattr(registry, "MEASURED", empty)
    assert {each.status for each in registry.load()} == {Status.EXPERIMENTAL}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prices.nothing]\na = 1\n", "no detector called 'prices.nothing'"),
        (f"[{LADDER}]\nnothing = 1\n", "no limit called 'nothing'"),
        (f"[{LADDER}]\nmax_p = 'x'\n", "must be float"),
        ("[prices", "thresholds.toml"),
    ],
)
def test_what_a_county_cannot_mean_is_refused(local, text, said):
    with pytest.raises(ValueError, match=said):
        local(text)


@pytest.mark.parametrize(
    ("name", "limits", "measured", "found"),
    [
        ("larger max", {"max_p": 0.2}, {"max_p": 0.1}, ("max_p",)),
        ("smaller max", {"max_p": 0.05}, {"max_p": 0.1}, ()),
        ("smaller min", {"min_bids": 2}, {"min_bids": 3}, ("min_bids",)),
        ("any other", {"gap": 2}, {"gap": 3}, ("gap",)),
        ("unknown to the report", {"max_p": 0.1, "step": 1}, {"max_p": 0.1}, ("step",)),
    ],
)
def test_the_name_of_a_limit_says_which_way_is_looser(name, limits, measured, found):
    assert registry.loosened(limits, measured) == found


@pytest.fixture
def copy_of_the_code(tmp_path, monkeypatch):
    """The detectors in another place, where a test may change them."""
    for top in ("detectors", "data/reference"):
        shutil.copytree(REPO / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    monkeypatch.setattr(overlay, "SHIPPED", tmp_path / "data" / "reference")
    yield tmp_path
    forget()


def forget():
    closure.source.cache_clear()
    closure.imports.cache_clear()


def changed_by(code, name, more=b"# a remark\n"):
    """Return the detectors whose version a change of one file moves."""
    forget()
    before = {id: each.version for id, each in by_id().items()}
    path = code / name
    path.write_bytes(path.read_bytes() + more)
    forget()
    return {id for id, each in by_id().items() if each.version != before[id]}


def users_of(*modules):
    return {id for id in registry.ids() if {*modules} & {*closure.closure(f"detectors.{id}")}}


def test_a_change_of_a_detector_moves_its_own_version_alone(copy_of_the_code):
    assert changed_by(copy_of_the_code, "detectors/prices/ladder.py") == {LADDER}


@pytest.mark.parametrize("kernel", ["firms.sharing", "firms.circles", "texts.phrases", "prices.rounding"])
def test_a_changed_kernel_changes_exactly_its_users(copy_of_the_code, kernel):
    moved = changed_by(copy_of_the_code, f"detectors/kernels/{kernel.replace('.', '/')}.py")
    assert moved == users_of(f"detectors.kernels.{kernel}")
    assert 0 < len(moved) < len(registry.ids())


@pytest.mark.parametrize(
    "unused",
    [
        "detectors/ocds/facts.py",
        "detectors/kernels/market_studies.py",
        "detectors/prices/__init__.py",
        "detectors/registry.py",
    ],
)
def test_a_file_that_no_detector_imports_changes_nothing(copy_of_the_code, unused):
    assert changed_by(copy_of_the_code, unused) == set()


def test_reference_data_change_exactly_those_that_read_them(copy_of_the_code):
    moved = changed_by(copy_of_the_code, "data/reference/award_rules.toml", b"# a remark\n")
    assert moved == users_of("detectors.kernels.rules.ruled_lots")
    assert moved
    assert changed_by(copy_of_the_code, "data/reference/routing.csv", b"\n") == set()


def test_the_award_rules_of_the_installation_are_part_of_the_version(tmp_path):
    before = by_id()
    (tmp_path / "award_rules.toml").write_text("", encoding="utf-8")
    after = {each.id: each for each in registry.load(local=tmp_path)}
    moved = {id for id in before if before[id].version != after[id].version}
    assert moved == users_of("detectors.kernels.rules.ruled_lots")


def test_a_family_is_a_folder_that_says_its_title():
    for family in registry.families().values():
        assert family.title and family.title_zh and family.explanation_zh
    assert "kernels" not in registry.families()
    assert "ocds" not in registry.families()
