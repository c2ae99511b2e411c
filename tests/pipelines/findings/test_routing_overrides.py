import pytest

from pipelines.findings.routing import LotFacts, load_division, recipients
from pipelines.reference import Reference

HEAD = "region_code,project_type_prefix,recipient_id,name_zh,basis\n"


@pytest.fixture
def write(tmp_path):
    def put(text, encoding="utf-8"):
        path = tmp_path / "routing.csv"
        path.write_bytes(text.encode(encoding))
        return Reference(tmp_path)

    return put


def test_without_a_file_the_default_division_holds(tmp_path):
    assert load_division(Reference(tmp_path)) == load_division(Reference())
    assert load_division(Reference(tmp_path)).regional == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_local_rule_sends_the_lots_of_its_region_elsewhere(write, encoding):
    division = load_division(write(HEAD + "410821,A01,tender-office,招标办,某政办〔2026〕3号\n", encoding))
    lots = [
        LotFacts(
            lot_id=region, project_type="A01", region_code=region, supervisor_code=None, supervisor_name=None
        )
        for region in ("410821", "410822")
    ]
    routes = {(r.lot_id, r.recipient): r.basis_zh for r in recipients(lots, division)}
    assert routes["410821", "tender-office"] == "本地规则：某政办〔2026〕3号"
    assert ("410822", "housing") in routes
    assert ("410821", "development-reform") in routes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("region_code,recipient_id,name_zh,basis\n", "column 'project_type_prefix' is missing"),
        (HEAD.replace("basis", "basis,more"), "column 'more' is not known"),
        (HEAD + "4108,A01,a,甲,文\n", "line 2: region_code '4108'"),
        (
            HEAD + "410821,A01,a,甲,文\n410821,A01,b,乙,文\n",
            "line 3: region_code '410821', .*'A01' stands there twice",
        ),
        (HEAD + "410821,,a,甲,文\n410821,,b,乙,文\n", "project_type_prefix '' stands there twice"),
        (HEAD + "410821,A01,../a,甲,文\n", "cannot be a folder name"),
        (HEAD + "410821,A01,a,,文\n", "must be filled"),
        (HEAD + "410821,A01,a\n", "must be filled"),
        (HEAD + "410821,A01,a,甲,文\n410821,A02,a,乙,文\n", "is called 甲 above and 乙 here"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(write, text, message):
    with pytest.raises(ValueError, match=message):
        load_division(write(text))


def test_a_file_that_is_not_utf8_is_refused(write):
    with pytest.raises(ValueError, match="not UTF-8"):
        load_division(write(HEAD + "410821,A01,a,甲乙,文\n", "gb18030"))


def test_a_row_without_a_region_takes_the_place_of_the_default(write):
    division = load_division(write(HEAD + ",A01,tender-office,招标办,某政办〔2026〕3号\n"))
    assert division.offices["A01"].slug == "tender-office"
    assert division.offices["A02"] == load_division(Reference()).offices["A02"]
    assert division.coordinator.name_zh == "发展和改革委员会"


def test_the_coordinating_office_can_be_another_one(write):
    division = load_division(write(HEAD + ",,gongguanban,公共资源交易监督管理办公室,某政办〔2026〕3号\n"))
    assert division.coordinator.slug == "gongguanban"
