import json

import pytest

from pipelines.intake.readers import FileRefused

RELEASE = {
    "ocid": "ocds-1",
    "id": "r1",
    "date": "2026-05-01T00:00:00Z",
    "buyer": {"id": "B", "name": "某局"},
    "tender": {
        "id": "T1",
        "value": {"amount": 1200000.50, "currency": "CNY"},
        "lots": [{"id": "L1", "title": "一标段"}, {"id": "L2", "value": {"amount": 5, "currency": "CNY"}}],
    },
    "bids": {
        "details": [
            {
                "id": "b1",
                "date": "2026-05-02T09:00:00Z",
                "tenderers": [{"id": "P1", "name": "甲"}, {"id": "P2", "name": "乙"}],
                "value": {"amount": 100, "currency": "CNY"},
                "relatedLots": ["L1", "L2"],
            },
            {"id": "b2", "tenderers": [{"id": "P3"}], "relatedLot": "L1"},
            {"id": "b3"},
        ]
    },
    "awards": [
        {
            "id": "a1",
            "suppliers": [{"id": "P1", "name": "甲"}],
            "relatedLots": [{"id": "L1"}, {"lotId": "L2"}],
        }
    ],
    "contracts": [
        {"id": "c1", "awardID": "a1", "dateSigned": "2026-06-01"},
        {"id": "c2", "awardID": "elsewhere"},
    ],
    "parties": [
        {
            "id": "P1",
            "name": "甲",
            "identifier": {"scheme": "CN-USCC", "id": "9111"},
            "roles": ["tenderer", "supplier"],
        }
    ],
}


def text(value):
    return json.dumps(value, ensure_ascii=False)


def release(**changes):
    return RELEASE | changes


SHAPES = {
    "release package": text({"version": "1.1", "releases": [RELEASE], "license": None}),
    "indented package": json.dumps({"uri": "x", "releases": [RELEASE]}, indent=2),
    "package with a release a line": '{"uri":"x","releases":[\n' + text(RELEASE) + "\n]}",
    "record package": text(
        {"records": [{"ocid": "ocds-1", "releases": [{"url": "x"}], "compiledRelease": RELEASE}]}
    ),
    "record with releases": text({"records": [{"ocid": "ocds-1", "releases": [RELEASE]}]}),
    "array": text([RELEASE]),
    "release": text(RELEASE),
    "line": text(RELEASE) + "\n\n",
    "package line": text({"releases": []}) + "\n" + text({"releases": [RELEASE]}) + "\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(taking, shape):
    taken = taking(SHAPES[shape].encode(), "ocds")
    assert not taken.unreadable
    assert {section: len(rows) for section, rows in taken.rows.items()} == {
        "tenders": 1,
        "lots": 2,
        "bids": 4,
        "awards": 2,
        "contracts": 3,
        "parties": 1,
    }


def test_bids_have_one_row_for_each_lot_they_are_for(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    shown = (
        "bids/details/id",
        "bids/details/tenderers/name",
        "bids/details/tenderers",
        "bids/details/relatedLot",
    )
    assert [[row[name] for name in shown] for row in taken.records("bids")] == [
        ["b1", "甲", "P1;P2", "L1"],
        ["b1", "甲", "P1;P2", "L2"],
        ["b2", None, "P3", "L1"],
        ["b3", None, "", ""],
    ]
    assert taken.paths("bids")[2] == "release 1, bids.details[1]"


def test_amounts_keep_their_digits(taking):
    content = text([RELEASE]).replace("1200000.5", "1200000.50").encode()
    [tender] = taking(content, "ocds").records("tenders")
    assert (tender["tender/value/amount"], tender["tender/value/currency"]) == ("1200000.50", "CNY")
    assert tender["buyer/name"] == "某局"


def test_lots_carry_what_their_tender_says(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    assert [row["tender/lots/id"] for row in taken.records("lots")] == ["L1", "L2"]
    assert {row["buyer/name"] for row in taken.records("lots")} == {"某局"}


def test_a_tender_without_lots_is_one_lot_with_an_empty_id(taking):
    taken = taking(
        text([release(tender={"id": "T1"}), release(tender={"id": "T2", "lots": []})]).encode(), "ocds"
    )
    assert [(row["tender/id"], row["tender/lots/id"]) for row in taken.records("lots")] == [
        ("T1", ""),
        ("T2", ""),
    ]


def test_a_contract_finds_its_supplier_and_lots_through_its_award(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    shown = ("contracts/id", "awards/suppliers/id", "awards/relatedLot")
    assert [tuple(row[name] for name in shown) for row in taken.records("contracts")] == [
        ("c1", "P1", "L1"),
        ("c1", "P1", "L2"),
        ("c2", None, ""),
    ]


def test_a_release_without_tender_or_bids_has_no_rows_for_them(taking):
    taken = taking(text([{"ocid": "o", "id": "1", "parties": [{"id": "P"}]}]).encode(), "ocds")
    assert {section for section, rows in taken.rows.items() if rows} == {"parties"}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ('{"ocid":"x","ocid":"y"}', "DUPLICATE_KEY"),
        ('{"ocid":"x","tender":{"value":{"amount":NaN}}}', "NOT_A_NUMBER"),
        ('{"ocid":"x","a":' + "[" * 40 + "]" * 40 + "}", "TOO_DEEP"),
        ('{"ocid":"x","a":"\\udead"}', "BROKEN_TEXT"),
        ('{"id":"no ocid"}', "NO_OCID"),
        ("[1]", "NOT_AN_OBJECT"),
        ('{"ocid":"x","releases":[{"url":"https://example.org"}]}', "LINKED_RELEASES"),
    ],
)
def test_a_bad_release_is_kept_aside_and_the_rest_goes_on(taking, bad, code):
    good = text(release(parties=[], contracts=[], awards=[], bids={}))
    taken = taking(f"{good}\n{bad}\n{good}\n".encode(), "ocds")
    assert taken.codes() == [code]
    assert (taken.unreadable[0].section, taken.unreadable[0].raw_path) == ("tenders", "line 2")
    assert len(taken.records("tenders")) == 2
    # In one document, text that is not JSON by the letter refuses the whole.
    if code not in ("NOT_A_NUMBER", "BROKEN_TEXT"):
        taken = taking(f"[{good},{bad},{good}]".encode(), "ocds")
        assert taken.codes() == [code]
        assert taken.unreadable[0].raw_path == "[1]"


@pytest.mark.parametrize("bad", ["{", "{not json", '{"ocid":"x"} {"ocid":"y"}', '{"ocid":"x",'])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_that_is_not_json_is_kept_aside_wherever_it_stands(taking, bad, place):
    lines = [text({"ocid": "a", "tender": {"id": "1"}}), text({"ocid": "b", "tender": {"id": "2"}})]
    lines.insert(place, bad)
    taken = taking("\n".join(lines).encode(), "ocds")
    assert taken.codes() == ["NOT_JSON"]
    assert taken.unreadable[0].raw_path == f"line {place + 1}"
    assert [row["tender/id"] for row in taken.records("tenders")] == ["1", "2"]


@pytest.mark.parametrize(
    "document",
    [
        '{"releases":[{"ocid":"x"}',
        '{"releases":[{"ocid":"x"}]} x',
        '{"releases":[{"ocid":"x"},]}',
        '{"releases":[],"releases":[]}',
        '{"releases":{}}',
        '[{"ocid":"x"}{"ocid":"y"}]',
        "[" * 200_000,
        '{"extensions":NaN,"releases":[]}',
    ],
)
def test_a_document_that_is_not_json_to_its_end_is_refused(refusal, document):
    assert refusal(document.encode(), "ocds") == "BROKEN_JSON"


@pytest.mark.parametrize("value", ["NaN", '"\\udead"', "9" * 5000, "1e99999999999999999999"])
def test_a_document_that_the_second_parser_cannot_take_is_refused(taking, value):
    with pytest.raises(FileRefused) as refused:
        taking(f'{{"releases":[{{"ocid":"x","v":{value}}}]}}'.encode(), "ocds")
    assert refused.value.code in ("BROKEN_JSON", "NUMBER_TOO_LONG")


def test_json_that_is_no_ocds_is_refused(refusal):
    assert refusal(b'{"bids": []}', "ocds") == "NOT_OCDS"


def test_something_else_where_a_list_belongs_is_kept_aside(taking):
    content = text([release(awards={"items": 1}, parties=[1, {"id": "P"}], tender="T", contracts=[])])
    taken = taking(content.encode(), "ocds")
    assert [(record.section, record.code) for record in taken.unreadable] == [
        ("tenders", "NOT_AN_OBJECT"),
        ("awards", "NOT_A_LIST"),
        ("parties", "NOT_AN_OBJECT"),
    ]
    assert len(taken.records("parties")) == 1


def test_a_release_a_line_inside_a_package_is_still_one_document(taking):
    content = '{"releases":[\n' + ",\n".join([text(RELEASE)] * 12) + "\n]}"
    assert len(taking(content.encode(), "ocds").records("tenders")) == 12


def test_a_record_alone_in_its_file_is_a_record_and_no_package(taking):
    record = {"ocid": "ocds-1", "releases": [{"url": "https://example.org/1"}], "compiledRelease": RELEASE}
    for document in (text(record), json.dumps(record, indent=2)):
        assert [row["ocid"] for row in taking(document.encode(), "ocds").records("tenders")] == ["ocds-1"]


@pytest.mark.parametrize("before", range(65_515, 65_540))
def test_a_number_across_the_edge_of_the_window_stays_whole(taking, before):
    content = '{"a":"' + "x" * (before - 12) + '","n":1234567,"releases":[{"ocid":"o"}]}'
    assert taking(content.encode(), "ocds").notes[-1] == "1 releases"


def test_a_package_larger_than_the_window_is_read_whole(taking):
    many = [release(id=f"r{number}", title="某" * (number * 997 % 5000)) for number in range(300)]
    taken = taking(json.dumps({"releases": many}, ensure_ascii=False, indent=1).encode(), "ocds", size=100)
    assert [row["id"] for row in taken.records("tenders")] == [f"r{number}" for number in range(300)]


def test_the_armenian_releases_are_read_whole(taking, real_data):
    taken = taking(real_data / "ocds" / "armenia_releases.jsonl.zst", "ocds", size=1000)
    assert not taken.unreadable
    assert len(taken.records("bids")) == 1468
    lots = {row["tender/lots/id"] for row in taken.records("lots")}
    assert {row["bids/details/relatedLot"] for row in taken.records("bids")} <= lots


def test_the_example_of_the_standard_is_read_in_all_its_shapes(taking, real_data):
    folder = real_data / "ocds" / "fictional_example"
    package = taking(folder / "ocds-213czf-000-00001.json", "ocds")
    assert package.notes[-1] == "6 releases"
    assert [row["tender/numberOfTenderers"] for row in package.records("tenders")][-1] is not None
    record = taking(folder / "record_ocds-213czf-000-00001.json", "ocds")
    [contract] = record.records("contracts")
    assert contract["contracts/value/amount"] == "11000000"
    assert contract["awards/suppliers/name"] == "AnyCorp Cycle Provision"
