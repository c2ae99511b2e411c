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
    "array of packages": text([{"releases": [RELEASE]}, {"releases": []}]),
    "packages after each other": json.dumps({"releases": []}, indent=1)
    + json.dumps({"uri": "x", "releases": [RELEASE]}, indent=1),
    "records and releases of one process": text(
        {"releases": [RELEASE], "records": [{"ocid": "ocds-1", "compiledRelease": RELEASE}]}
    ),
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
        "tenderers": 4,
        "awards": 2,
        "contracts": 3,
        "parties": 1,
    }


def test_bids_have_one_row_for_each_lot_they_are_for(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    shown = (
        "bids/details/id",
        "bids/details/tenderers/id",
        "bids/details/tenderers/name",
        "bids/details/relatedLot",
    )
    assert [[row[name] for name in shown] for row in taken.records("bids")] == [
        ["b1", "P1", "甲", "L1"],
        ["b1", "P1", "甲", "L2"],
        ["b2", "P3", None, "L1"],
        ["b3", None, None, ""],
    ]
    assert taken.paths("bids")[2] == "release 1, bids.details[1]"


def test_amounts_keep_their_digits(taking):
    content = text([RELEASE]).replace("1200000.5", "1200000.50").encode()
    [tender] = taking(content, "ocds").records("tenders")
    assert (tender["tender/value/amount"], tender["tender/value/currency"]) == ("1200000.50", "CNY")
    assert tender["buyer/name"] == "某局"


@pytest.mark.parametrize(
    ("written", "read"),
    [("1.5E6", "1500000"), ("12e-1", "1.2"), ('"1E3"', "1000"), ("1e300", "1e300"), ('"1e3 CNY"', "1e3 CNY")],
)
def test_an_amount_written_with_a_power_of_ten_is_its_digits(taking, written, read):
    content = text([RELEASE]).replace("1200000.5", written).encode()
    assert taking(content, "ocds").records("tenders")[0]["tender/value/amount"] == read


def test_lots_carry_what_their_tender_says(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    assert [row["tender/lots/id"] for row in taken.records("lots")] == ["L1", "L2"]
    assert {row["buyer/name"] for row in taken.records("lots")} == {"某局"}


def test_a_tender_without_lots_is_one_lot_with_an_empty_id(taking):
    taken = taking(
        text([release(tender={"id": "T1"}), release(ocid="2", tender={"id": "T2", "lots": []})]).encode(),
        "ocds",
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


def test_a_bid_of_several_tenderers_has_its_members(taking):
    taken = taking(text([RELEASE]).encode(), "ocds")
    shown = (
        "bids/details/id",
        "bids/details/bidder/id",
        "bids/details/tenderers/id",
        "bids/details/relatedLot",
    )
    assert [[row[name] for name in shown] for row in taken.records("tenderers")] == [
        ["b1", "P1", "P1", "L1"],
        ["b1", "P1", "P1", "L2"],
        ["b1", "P1", "P2", "L1"],
        ["b1", "P1", "P2", "L2"],
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
    good, other = (text(release(ocid=ocid, parties=[], contracts=[], awards=[], bids={})) for ocid in "12")
    taken = taking(f"{good}\n{bad}\n{other}\n".encode(), "ocds")
    assert taken.codes() == [code]
    assert (taken.unreadable[0].section, taken.unreadable[0].raw_path) == ("tenders", "line 2")
    assert len(taken.records("tenders")) == 2
    # In one document, text that is not JSON by the letter refuses the whole.
    if code not in ("NOT_A_NUMBER", "BROKEN_TEXT"):
        taken = taking(f"[{good},{bad},{other}]".encode(), "ocds")
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
    content = '{"releases":[\n' + ",\n".join(text(release(ocid=str(number))) for number in range(12)) + "\n]}"
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
    many = [
        release(ocid=str(number), id=f"r{number}", title="某" * (number * 997 % 5000))
        for number in range(300)
    ]
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


# --- releases of one process ----------------------------------------------------------------------

TENDER = {
    "ocid": "m",
    "id": "1",
    "date": "2026-01-10T00:00:00Z",
    "tag": ["tender"],
    "buyer": {"id": "B", "name": "某局"},
    "tender": {
        "id": "M",
        "title": "道路",
        "procurementMethod": "open",
        "awardCriteria": "priceOnly",
        "tenderPeriod": {"endDate": "2026-03-01T10:00:00Z"},
        "lots": [
            {"id": "L1", "title": "一", "value": {"amount": 50, "currency": "CNY"}},
            {"id": "L2", "title": "二"},
        ],
    },
}
BIDS = {
    "ocid": "m",
    "id": "2",
    "date": "2026-03-02T00:00:00Z",
    "bids": {"details": [{"id": "b1", "tenderers": [{"id": "S", "name": "甲"}], "relatedLots": ["L1"]}]},
}
AWARD = {
    "ocid": "m",
    "id": "3",
    "date": "2026-03-08T00:00:00Z",
    "tender": {"id": "M", "status": "complete", "lots": [{"id": "L1", "status": "complete"}]},
    "awards": [{"id": "a1", "status": "active", "suppliers": [{"id": "S"}], "relatedLots": ["L1"]}],
}
CONTRACT = {
    "ocid": "m",
    "id": "4",
    "date": "2026-03-20T00:00:00Z",
    "contracts": [{"id": "c1", "awardID": "a1"}],
}


def taken_apart(taking, *releases):
    return taking(text(list(releases)).encode(), "ocds")


def test_a_later_release_adds_to_an_earlier_one(taking):
    taken = taken_apart(taking, CONTRACT, AWARD, TENDER, BIDS)
    [tender] = taken.records("tenders")
    assert (tender["tender/title"], tender["buyer/name"], tender["tender/status"]) == (
        "道路",
        "某局",
        "complete",
    )
    assert tender["tender/tenderPeriod/endDate"] == "2026-03-01T10:00:00Z"
    assert [(row["tender/lots/title"], row["tender/lots/status"]) for row in taken.records("lots")] == [
        ("一", "complete"),
        ("二", None),
    ]
    [contract] = taken.records("contracts")
    assert (contract["awards/suppliers/id"], contract["awards/relatedLot"]) == ("S", "L1")
    assert {row["date"] for rows in taken.rows.values() for row in rows} == {"2026-03-20T00:00:00Z"}
    assert any("1 processes" in note for note in taken.notes)


def test_the_later_of_two_dates_is_the_later_moment(taking):
    morning = TENDER | {"date": "2026-01-10T08:00:00+08:00", "tender": {"title": "旧"}}  # midnight in UTC
    later = TENDER | {"date": "2026-01-10T01:00:00Z", "tender": {"title": "新"}}
    [tender] = taken_apart(taking, later, morning).records("tenders")
    assert tender["tender/title"] == "新"


@pytest.mark.parametrize("gone", ["title", "lots", "tenderPeriod"])
def test_null_takes_away_what_an_earlier_release_said(taking, gone):
    taken = taken_apart(taking, TENDER, AWARD | {"tender": {gone: None}})
    [tender] = taken.records("tenders")
    assert (tender["tender/title"] is None) == (gone == "title")
    assert (tender["tender/tenderPeriod/endDate"] is None) == (gone == "tenderPeriod")
    assert [row["tender/lots/id"] for row in taken.records("lots")] == (
        [""] if gone == "lots" else ["L1", "L2"]
    )


@pytest.mark.parametrize("empty", [[], {}, None])
@pytest.mark.parametrize("field", ["tender", "bids", "awards", "contracts", "parties", "buyer"])
def test_an_empty_field_breaks_no_release(taking, field, empty):
    for part in (TENDER, AWARD):
        taken_apart(taking, part | {field: empty}, BIDS)
        taken_apart(taking, BIDS | {"date": "2026-01-01T00:00:00Z"}, part | {field: empty})


def test_a_compiled_release_stands_for_all_before_it(taking):
    compiled = AWARD | {"tag": ["compiled"], "tender": {"id": "M", "title": "合", "lots": [{"id": "L1"}]}}
    taken = taken_apart(taking, TENDER, compiled, CONTRACT)
    assert [row["tender/lots/id"] for row in taken.records("lots")] == ["L1"]
    assert len(taken.records("contracts")) == 1


def test_releases_that_give_one_id_to_two_bids_are_not_merged(taking):
    twice = [{"id": "1", "tenderers": [{"id": "S"}]}, {"id": "1", "tenderers": [{"id": "R"}]}]
    taken = taken_apart(taking, TENDER, BIDS | {"bids": {"details": twice}})
    assert [row["bids/details/tenderers/id"] for row in taken.records("bids")] == ["S", "R"]


def test_documents_with_one_id_do_not_stand_in_the_way(taking):
    papers = [{"id": "1", "title": "a"}, {"id": "1", "title": "b"}]
    taken = taken_apart(taking, TENDER | {"tender": TENDER["tender"] | {"documents": papers}}, BIDS)
    assert len(taken.records("tenders")) == len(taken.records("bids")) == 1


def test_a_lone_release_needs_no_date(taking):
    taken = taken_apart(
        taking, {name: TENDER[name] for name in ("ocid", "buyer", "tender")}, BIDS | {"ocid": "x"}
    )
    assert not taken.unreadable
    assert any("1 releases have no date" in note for note in taken.notes)


def test_a_release_without_a_date_beside_others_of_its_process_is_refused(taking):
    taken = taken_apart(taking, TENDER, BIDS | {"date": None}, AWARD | {"date": "soon"}, CONTRACT)
    assert taken.codes() == ["NO_RELEASE_DATE"] * 2
    assert len(taken.records("contracts")) == 1


def test_a_file_without_any_date_is_refused_where_the_order_matters(refusal):
    assert (
        refusal(text([TENDER | {"date": None}, BIDS | {"date": ""}]).encode(), "ocds") == "NO_RELEASE_DATES"
    )


def test_the_newest_of_every_version_is_taken_from_a_versioned_record(taking):
    def version(date, value):
        return {"releaseDate": date, "releaseID": "r", "releaseTag": ["tender"], "value": value}

    title = [version("2026-02-01", "新"), version("2026-01-01", "旧")]
    record = {"ocid": "v", "versionedRelease": {"tender": {"id": "T", "title": title}}}
    [tender] = taking(text({"records": [record]}).encode(), "ocds").records("tenders")
    assert (tender["ocid"], tender["tender/title"]) == ("v", "新")


# --- what parties tell ----------------------------------------------------------------------------

PARTIES = [
    {"id": "B", "name": "某局", "roles": ["buyer", "procuringEntity"]},
    {"id": "S", "name": "甲", "roles": ["tenderer", "supplier"]},
    {"id": "R", "name": "乙", "roles": ["tenderer"]},
]


def test_parties_give_names_and_the_buyer_by_its_role(taking):
    release = {name: value for name, value in (TENDER | BIDS | AWARD).items() if name != "buyer"}
    taken = taken_apart(taking, release | {"parties": PARTIES})
    [tender] = taken.records("tenders")
    assert (tender["buyer/id"], tender["buyer/name"]) == ("B", "某局")
    assert taken.records("awards")[0]["awards/suppliers/name"] == "甲"


def test_a_name_that_two_parties_have_under_one_id_is_nobodys(taking):
    parties = [*PARTIES, {"id": "S", "name": "丙"}]
    [award] = taken_apart(taking, AWARD | {"parties": parties}).records("awards")
    assert award["awards/suppliers/name"] is None


@pytest.mark.parametrize("named", ["role", "bid", "nobody"])
def test_an_award_without_suppliers_has_the_one_that_is_certain(taking, named):
    award = {"id": "a1", "status": "active"} | ({"relatedBid": "b1"} if named == "bid" else {})
    parties = PARTIES if named == "role" else []
    [row] = taken_apart(taking, BIDS | {"awards": [award], "parties": parties}).records("awards")
    assert row["awards/suppliers/id"] == (None if named == "nobody" else "S")


def test_what_names_no_lot_belongs_to_the_only_one(taking):
    bid = {"details": [{"id": "1", "tenderers": [{"id": "S"}]}]}
    one = TENDER | {"tender": {"id": "M", "lots": [{"id": "L1"}]}, "bids": bid}
    assert taken_apart(taking, one).records("bids")[0]["bids/details/relatedLot"] == "L1"
    assert taken_apart(taking, TENDER | {"bids": bid}).records("bids")[0]["bids/details/relatedLot"] == ""


# --- what does not fit together -------------------------------------------------------------------


def changed(**changes):
    """A release in which everything fits, but for the changes: path -> value."""
    sane = json.loads(
        text(
            {
                "ocid": "c",
                "date": "2024-03-20T00:00:00Z",
                "buyer": {"id": "B"},
                "tender": {
                    "id": "T",
                    "status": "complete",
                    "procurementMethod": "open",
                    "tenderPeriod": {"startDate": "2024-02-01T00:00:00Z", "endDate": "2024-03-01T09:00:00Z"},
                },
                "parties": [],
                "bids": {
                    "details": [
                        {
                            "id": id,
                            "status": "valid",
                            "date": "2024-02-28T09:00:00Z",
                            "value": {"amount": amount, "currency": "CNY"},
                            "tenderers": [{"id": id}],
                        }
                        for id, amount in (("A", 1000), ("C", 1100))
                    ]
                },
                "awards": [
                    {
                        "id": "1",
                        "status": "active",
                        "date": "2024-03-10T00:00:00Z",
                        "suppliers": [{"id": "A"}],
                        "value": {"amount": 1000, "currency": "CNY"},
                    }
                ],
                "contracts": [
                    {
                        "id": "k",
                        "awardID": "1",
                        "status": "active",
                        "dateSigned": "2024-03-15T00:00:00Z",
                        "value": {"amount": 1000, "currency": "CNY"},
                    }
                ],
            }
        )
    )
    for path, value in changes.items():
        *steps, last = path.split("__")
        holder = sane
        for step in steps:
            holder = holder[int(step) if step.isdigit() else step]
        holder[last] = value
    return sane


@pytest.mark.parametrize(
    ("changes", "english", "chinese", "first"),
    [
        (
            {"tender__tenderPeriod__startDate": "2024-04-05"},
            "ends before it starts",
            "早于开始",
            "tender.tenderPeriod",
        ),
        ({"awards__0__date": "2024-01-10"}, "an award before the deadline", "中标早于投标截止", "awards[0]"),
        (
            {"tender__tenderPeriod__endDate": "0024-03-01"},
            "a date that cannot be",
            "日期不可能",
            "tender.tenderPeriod.endDate 0024-03-01",
        ),
        (
            {"awards__0__date": "2099-03-10T00:00:00Z"},
            "a date that cannot be",
            "日期不可能",
            "awards[0].date",
        ),
        (
            {"contracts__0__dateSigned": "9999-12-31"},
            "a date that cannot be",
            "日期不可能",
            "contracts[0].dateSigned",
        ),
        (
            {"contracts__0__dateSigned": "0000-00-00"},
            "a date that cannot be",
            "日期不可能",
            "contracts[0].dateSigned",
        ),
        ({"awards__0__value": {"amount": -1000}}, "zero or less", "为零或为负", "awards[0].value"),
        ({"contracts__0__value": {"amount": "0"}}, "zero or less", "为零或为负", "contracts[0].value"),
        ({"bids__details__1__value": {"amount": 4e12}}, "thousandfold", "千倍", "bids"),
        ({"tender__procurementMethod": "direct"}, "several bid", "直接采购", "tender"),
        ({"tender__status": "cancelled"}, "given up", "已取消", "awards[0]"),
        ({"tender__numberOfTenderers": 7}, "another number of tenderers", "人数", "tender.numberOfTenderers"),
        ({"contracts__0__awardID": "99"}, "an award that is not there", "不存在", "contracts[0]"),
        (
            {"contracts__0__value": {"amount": 5000, "currency": "CNY"}},
            "twice its award",
            "两倍",
            "contracts[0]",
        ),
        ({"contracts__0__dateSigned": "2024-02-15"}, "signed before its award", "早于中标", "contracts[0]"),
        ({"parties": [{"id": "A"}]}, "none of the parties", "parties", "bids.details[1]"),
        ({"awards__0__suppliers": [{"id": "Z"}]}, "never bid", "未参加投标", "awards[0]"),
        ({"awards__0__suppliers": None}, "names no supplier", "无供应商", "awards[0]"),
        ({"awards__0__value": {"amount": 7000}}, "half its bid", "报价两倍", "awards[0]"),
        ({"awards__0__value": {"amount": 1000, "currency": "USD"}}, "another currency", "币种", "awards[0]"),
        ({"buyer": {"id": "A"}}, "its own contract", "采购人同时", "bids.details[0]"),
        ({"bids__details__0__date": "2024-03-02"}, "after the deadline", "晚于截止", "bids.details[0]"),
        ({"bids__details__0__status": "gewonnen"}, "does not know", "代码表", "bids.details[0] gewonnen"),
        (
            {"tender__lots": [{"id": "1"}], "awards__0__relatedLot": "2"},
            "does not have",
            "标段不在",
            "awards[0]",
        ),
    ],
)
def test_what_does_not_fit_is_counted_with_its_first_place(taking, changes, english, chinese, first):
    releases = [changed(), changed(ocid="d", **changes), changed(ocid="e", **changes)]
    notes = [note for note in taken_apart(taking, *releases).notes if "incoherent" in note]
    [told] = [note for note in notes if english in note]
    assert chinese in told
    assert f"first 首见 release 2, {first}" in told


def test_a_release_in_which_all_fits_has_no_note(taking):
    assert not [note for note in taken_apart(taking, changed()).notes if "incoherent" in note]


@pytest.mark.parametrize(
    ("changes", "section", "column"),
    [
        ({"tender__tenderPeriod__endDate": "9999-03-01"}, "tenders", "tender/tenderPeriod/endDate"),
        ({"tender__tenderPeriod__startDate": "2024-04-05"}, "tenders", "tender/tenderPeriod/startDate"),
        (
            {"tender__tenderPeriod": {"startDate": "2024-03-05", "endDate": "2024-02-01"}},
            "tenders",
            "tender/tenderPeriod/endDate",
        ),
        ({"awards__0__date": "2099-03-10T00:00:00Z"}, "awards", "awards/date"),
        ({"awards__0__value": {"amount": 0}}, "awards", "awards/value/amount"),
        ({"contracts__0__value": {"amount": -1}}, "contracts", "contracts/value/amount"),
    ],
)
def test_what_is_impossible_is_left_out(taking, changes, section, column):
    [sane] = taken_apart(taking, changed()).records(section)
    [row] = taken_apart(taking, changed(**changes)).records(section)
    assert (sane[column] is None, row[column]) == (False, None)


@pytest.mark.parametrize("broken", [1, "x", [], {}, [1], None])
@pytest.mark.parametrize(
    "path", ["tender__tenderPeriod", "awards__0__value", "bids__details__0__tenderers", "buyer", "tender"]
)
def test_whatever_stands_where_something_else_belongs_is_passed_over(taking, path, broken):
    taken_apart(taking, changed(**{path: broken}))
