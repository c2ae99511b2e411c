"""What a file lacks that much depends on: said of the file, with what it costs."""

import pytest

from detectors import registry
from pipelines import night_report
from pipelines.intake.file_report import FileReport, lacks, never_mapped
from pipelines.intake.schema import table_schemas


def dated(text):
    """The text of a file with the version time that the county's records must have."""
    header, *records = text.splitlines()
    return "\n".join([f"{header},at", *(f"{record},2026-05-01 09:00" for record in records)]) + "\n"


def test_a_mapped_price_that_is_not_in_the_file_is_a_finding_and_a_harmless_column_is_none(county, unchecked):
    one = county.read(dated("lot,name,code\nL1,甲公司,\n"), "bids.csv")
    [section] = one.report.sections
    assert {"bids.price", "bids.agent_phone"} <= set(section.missing_columns)
    assert [lack.column for lack in section.lacks()] == ["bids.price"]


def test_a_file_that_has_everything_lacks_nothing(county, unchecked):
    [section] = county.read(dated("lot,name,code,price\nL1,甲公司,,5\n"), "bids.csv").report.sections
    assert section.lacks() == []
    assert section.columns["bids.price"] == ["price"]
    assert section.columns["bids.currency"] == [], "a constant is read from no column"


def test_the_report_keeps_what_was_read_from_where(county, unchecked):
    one = county.read(dated("lot,name,price\nL1,甲公司,5\n"), "bids.csv")
    [section] = FileReport.load(one.folder).sections
    assert section.columns["bids.bidder_name"] == ["name"]
    assert [lack.column for lack in section.lacks()] == ["bids.bidder_code"]


@pytest.mark.parametrize(
    ("missing", "found", "lacking"),
    [
        (["lots.award_method"], [], ["lots.award_method"]),
        (["lots.award_method"], ["documents.award_method"], []),
        (["tenders.award_method", "lots.award_method"], [], ["tenders.award_method"]),
        (["lots.opening_at"], ["lots.opening_on"], []),
        (["lots.opening_on"], ["tenders.opening_at"], []),
        (["bids.price"], ["awards.price"], ["bids.price"]),
        (["bids.duration_days", "lots.agency_name"], [], []),
    ],
)
def test_a_fact_may_stand_in_another_table_of_the_lot(missing, found, lacking):
    assert [lack.column for lack in lacks(missing, found)] == lacking


def test_a_mapping_of_bids_without_award_method_says_so_and_one_of_documents_need_not():
    mapped = {"bids.lot_id", "bids.bidder_code", "bids.price", "lots.opening_on", "lots.ceiling_price"}
    assert [lack.column for lack in never_mapped(mapped)] == ["lots.award_method"]
    assert never_mapped({"file_parts.text"}) == []


def test_the_nights_page_says_first_what_is_lacking(county, unchecked):
    one = county.read(dated("lot,name,code,memo\nL1,甲公司,,x\n"), "bids.csv")
    said = night_report.remarks([one.report])
    assert "bids.csv bids: 未找到投标报价（bids.price）" in said[0]
    assert "no screen of prices can judge" in said[0]
    assert "未使用的列" in said[1]


def test_every_cost_is_said_in_both_languages():
    costly = [
        column for schema in table_schemas().values() for column in schema.columns.values() if column.without
    ]
    assert len(costly) >= 5
    assert all(column.without_zh for column in costly)


def test_a_missing_award_method_costs_what_it_says():
    """Detectors that judge no lot without an award method: were there none, the warning would be idle."""
    lacking = [d.id for d in registry.load() if any(need.lack == "award method unknown" for need in d.needs)]
    assert len([id for id in lacking if id.startswith("prices.")]) >= 5
