import re
from dataclasses import replace

import pytest

from pipelines.findings.routing import (
    UNPLACED_ZH,
    Division,
    LotFacts,
    Recipient,
    folder_name,
    load_division,
    recipients,
)
from pipelines.reference import Reference

HOUSING = Recipient("housing", "住房和城乡建设局", "默认分派")
WATER = Recipient("water", "水利局", "默认分派")
STATE_ASSETS = Recipient("state-assets", "国资监管机构", "默认分派")
COORDINATOR = Recipient("development-reform", "发展和改革委员会", "默认分派")
DIVISION = Division({"A01": HOUSING, "A07": WATER, "C": STATE_ASSETS, "A99": COORDINATOR}, COORDINATOR, {})


def lot(lot_id="L1", **facts):
    empty = {"project_type": None, "region_code": None, "supervisor_code": None, "supervisor_name": None}
    return LotFacts(lot_id=lot_id, **(empty | facts))


def sent_to(facts, regional=None):
    division = replace(DIVISION, regional=regional or {})
    return [route.recipient for route in recipients([facts], division)]


def test_the_supervisor_of_the_record_comes_before_everything_else():
    facts = lot(
        project_type="A07",
        region_code="410821",
        supervisor_code="114108210000000001",
        supervisor_name="示例局",
    )
    overrides = {("410821", ""): Recipient("special", "专门机构", "本地规则")}
    assert sent_to(facts, overrides) == ["114108210000000001", "development-reform"]
    assert recipients([facts], replace(DIVISION, regional=overrides))[0].name_zh == "示例局"


def test_a_supervisor_known_by_name_only_gets_the_same_safe_folder_every_night():
    first, second = folder_name(None, "示例县 水利局"), folder_name(None, "示例县水利局")
    assert first == second
    assert re.fullmatch(r"office-[0-9a-f]{16}", first)
    assert first != folder_name(None, "示例县交通局")


@pytest.mark.parametrize("code", ["11410821MB0A00000X", "410821_07", "fgw"])
def test_a_code_that_can_be_a_folder_name_is_the_folder(code):
    assert folder_name(code, "示例局") == code


@pytest.mark.parametrize(
    "code",
    [
        "../../etc",
        "..",
        ".",
        ".hidden",
        "a/b",
        "a\\b",
        "con",
        "NUL.txt",
        "局",
        "x" * 65,
        "a b",
        "a\n",
        "end.",
    ],
)
def test_no_delivered_code_can_leave_the_outbox(code):
    assert re.fullmatch(r"office-[0-9a-f]{16}", folder_name(code, None))


@pytest.mark.parametrize(
    ("project_type", "office"), [("A01", "housing"), ("A07", "water"), ("C05", "state-assets")]
)
def test_without_a_supervisor_the_project_type_decides_and_the_coordinator_gets_a_copy(project_type, office):
    assert sent_to(lot(project_type=project_type)) == sorted([office, "development-reform"])


def test_the_copy_says_that_it_is_one():
    routes = recipients([lot(project_type="A01")], DIVISION)
    assert {route.recipient: route.basis_zh for route in routes} == {
        "housing": "默认分派",
        "development-reform": "抄送综合协调部门",
    }


@pytest.mark.parametrize("facts", [{"project_type": "A99"}, {"supervisor_name": "发展和改革委员会"}])
def test_the_coordinator_never_gets_one_lot_twice(facts):
    assert sent_to(lot(**facts)) == ["development-reform"]


@pytest.mark.parametrize("project_type", [None, "Z99"])
def test_what_cannot_be_placed_goes_to_the_coordinator_with_a_note(project_type):
    (route,) = recipients([lot(project_type=project_type)], DIVISION)
    assert (route.recipient, route.note_zh) == ("development-reform", UNPLACED_ZH)


def test_the_nearest_region_and_the_longest_prefix_win():
    overrides = {
        ("410000", "A"): Recipient("province", "省", "本地规则"),
        ("410800", "A"): Recipient("city", "市", "本地规则"),
        ("410821", "A0"): Recipient("county", "县", "本地规则"),
        ("410821", "A01"): Recipient("county-building", "县建设", "本地规则"),
    }
    assert sent_to(lot(project_type="A01", region_code="410821"), overrides)[0] == "county-building"
    assert sent_to(lot(project_type="A07", region_code="410821"), overrides)[0] == "county"
    assert sent_to(lot(project_type="A99", region_code="410821"), overrides)[0] == "city"
    assert sent_to(lot(project_type="A01", region_code="419001"), overrides)[-1] == "province"
    assert sent_to(lot(project_type="A01", region_code="110101"), overrides)[-1] == "housing"


def test_a_recipient_has_one_name_whatever_the_order_of_the_lots():
    code = "114108210000000001"
    lots = [
        lot("L1", supervisor_code=code, supervisor_name="乙"),
        lot("L2", supervisor_code=code, supervisor_name="丁"),
    ]
    routes = recipients(lots, DIVISION)
    assert len({route.name_zh for route in routes if route.recipient == code}) == 1
    assert routes == recipients(lots[::-1], DIVISION)


def test_the_shipped_division_names_an_office_for_every_common_project_type():
    division = load_division(Reference())
    assert division.coordinator.name_zh == "发展和改革委员会"
    for project_type in ("A01", "A03", "A07", "A97", "B01", "D03"):
        routes = recipients([lot(project_type=project_type)], division)
        assert len(routes) == 2, project_type
