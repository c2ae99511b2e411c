from datetime import date
from itertools import pairwise
from types import SimpleNamespace

from pipelines.findings import alerts


def law(instrument, article="", valid_from="", valid_to="", regime="", region_code=""):
    return locals()


LAWS = {
    "REG": [
        law("条例", "第一条", "2012-02-01", "2019-03-01"),
        law("条例（2019）", "第一条", "2019-03-02"),
    ],
    "PROC": [law("采购令", "第二条", regime="government_procurement")],
    "HENAN": [law("豫规", valid_from="2021-01-01", region_code="410000")],
}
DETECTOR = SimpleNamespace(facts=SimpleNamespace(legal_basis=("REG", "PROC", "HENAN")))


def cited(on, **lot):
    return alerts.legal_text(DETECTOR, LAWS, lot, on)


def test_the_law_is_cited_in_the_version_in_force_on_the_day_of_the_opening():
    assert cited(date(2019, 3, 1)) == "《条例》第一条"
    assert cited(date(2019, 3, 2)) == "《条例（2019）》第一条"
    assert cited(date(2009, 1, 1)) == ""


def test_a_rule_for_procurement_is_not_cited_for_construction_and_says_what_is_not_known_of_it():
    assert "采购令" not in cited(date(2026, 1, 1), procurement_regime="construction")
    assert "《采购令》第二条（施行日期待核）" in cited(
        date(2026, 1, 1), procurement_regime="government_procurement"
    )


def test_a_provincial_rule_is_cited_only_inside_the_province():
    assert "豫规" in cited(date(2026, 1, 1), region_code="410821")
    assert "豫规" not in cited(date(2026, 1, 1), region_code="350100")
    assert "豫规" not in cited(date(2026, 1, 1))


def test_every_law_of_the_reference_table_has_one_version_in_force_on_any_day():
    for versions in alerts.load_laws().values():
        spans = sorted((law["valid_from"], law["valid_to"] or "9999") for law in versions)
        assert all(ends < starts for (_, ends), (starts, _) in pairwise(spans))
