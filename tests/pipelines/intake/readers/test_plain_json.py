import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.intake.readers import FileRefused
from pipelines.intake.readers.plain_json import steps_of

DOCUMENT = {
    "project": "P1",
    "data": {"total": 2},
    "lots": [
        {
            "lot_no": "L1",
            "bids": [{"bidder": {"name": "甲公司"}, "price": 1}, {"bidder": {"name": "乙公司"}, "price": 2}],
        },
        {"lot_no": "L2", "bids": []},
        {"lot_no": "L3", "bids": None},
        {"lot_no": "L4"},
    ],
}


def as_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def at(path, section=""):
    return {"records": ((section, path),)}


def test_the_elements_of_a_document_that_is_an_array_are_the_records(taking):
    taken = taking(as_json([{"lot": "L1", "n": 1}, {"lot": "L2"}]), "json")
    assert taken.records() == [{"lot": "L1", "n": "1"}, {"lot": "L2", "n": None}]
    assert taken.paths() == ["[0]", "[1]"]


def test_one_object_is_one_record(taking):
    taken = taking(b' {"lot": "L1"}\n', "json")
    assert (taken.records(), taken.paths()) == ([{"lot": "L1"}], ["the document"])


def test_a_path_leads_to_the_records_and_dots_reach_what_is_around_them(taking):
    taken = taking(as_json(DOCUMENT), "json", **at("lots[].bids"))
    first, second = taken.records()
    assert first == {
        "bidder.name": "甲公司",
        "price": "1",
        "../lot_no": "L1",
        "../../project": "P1",
        "../../data.total": "2",
    }
    assert (second["bidder.name"], second["../lot_no"]) == ("乙公司", "L1")
    assert taken.paths() == ["lots[0].bids[0]", "lots[0].bids[1]"]


def test_objects_on_the_way_are_no_levels(taking):
    document = {"page": 3, "data": {"total": 9, "items": [{"lot": "L1"}]}}
    taken = taking(as_json(document), "json", **at("data.items"))
    assert taken.records() == [{"lot": "L1", "../page": "3", "../data.total": "9"}]


def test_one_document_may_hold_several_kinds_of_records(taking):
    taken = taking(as_json(DOCUMENT), "json", records=(("lots", "lots"), ("bids", "lots[].bids")))
    assert [row["lot_no"] for row in taken.records("lots")] == ["L1", "L2", "L3", "L4"]
    assert len(taken.records("bids")) == 2


def test_lines_are_read_one_by_one_and_a_broken_one_costs_itself(taking):
    good = as_json({"lot_no": "L1", "bids": [{"n": 1}, {"n": 2}]})
    broken = b'{"lot_no": "L2", "bids": [{"n": 1}'
    twice = b'{"lot_no": "L3", "lot_no": "L4", "bids": []}'
    taken = taking(b"\n".join([good, good, broken, twice, b'{"bids": [{"n": NaN}]}']), "json", **at("bids"))
    assert [row["n"] for row in taken.records()] == ["1", "2", "1", "2"]
    assert taken.paths()[2] == "line 2: bids[0]"
    assert taken.codes() == ["NOT_JSON", "DUPLICATE_KEY", "NOT_A_NUMBER"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("12345678901234567890.10", "12345678901234567890.10"),
        ("1.2345678E7", "12345678"),
        ("5e-3", "0.005"),
        ("1e400", "1e400"),
        ("true", "true"),
        ("null", None),
        ('["甲", "乙"]', "甲;乙"),
        ("[1, 2]", "1;2"),
        ("[]", ""),
        ('[{"a": 1}]', '[{"a": "1"}]'),
        ("{}", "{}"),
    ],
)
def test_values_become_text_and_numbers_are_never_rounded(taking, written, text):
    assert taking(f'[{{"v": {written}}}]'.encode(), "json").records() == [{"v": text}]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'[{"a": 1, "a": 2}]', "DUPLICATE_KEY"),
        (b'[{"a": NaN}]', "NOT_A_NUMBER"),
        (b'[{"a": ' + b"1" * 5000 + b"}]", "NUMBER_TOO_LONG"),
        (b'[{"a": 1}', "BROKEN_JSON"),
        (b'[{"a": 1}] x', "BROKEN_JSON"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "TOO_DEEP"),
    ],
)
def test_a_document_that_can_be_read_in_two_ways_is_refused(refusal, content, code):
    assert refusal(content, "json") == code


def test_a_path_that_leads_nowhere_is_refused_with_the_names_that_are_there(taking):
    with pytest.raises(FileRefused) as refused:
        taking(as_json(DOCUMENT), "json", **at("data.items"))
    assert refused.value.code == "NO_RECORDS"
    assert "project, data, lots" in refused.value.reason
    assert "lots" in refused.value.reason_zh


def test_an_empty_array_is_no_fault_and_a_section_without_any_is_noted(taking):
    taken = taking(b'{"lots": []}', "json", records=(("lots", "lots"), ("bids", "bids")))
    assert taken.rows == {}
    assert any(note.startswith("section bids: nothing at its path") for note in taken.notes)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"lots": [{"bids": [1]}]}, "NOT_AN_OBJECT"),
        ({"lots": [{"bids": {"a": 1}}]}, "NO_ARRAY"),
        ({"lots": ["x"]}, "NO_ARRAY"),
        ({"lots": [{"bids": [{"a.b": 1, "a": {"b": 2}}]}]}, "DUPLICATE_FIELD"),
        ({"lots": [{"bids": [{"raw_row": 1}]}]}, "DUPLICATE_FIELD"),
    ],
)
def test_what_is_no_record_is_kept_as_unreadable(taking, document, code):
    document["lots"].append({"bids": [{"good": 1}]})
    taken = taking(as_json(document), "json", **at("lots[].bids"))
    assert taken.codes() == [code]
    assert taken.records() == [{"good": "1"}]


@pytest.mark.parametrize("path", ["", "lots", "data.items", "lots[].bids", "[].bids", "a[].b.c[].d"])
def test_a_path_is_understood(path):
    assert steps_of(path)[-1:] == () or steps_of(path)[-1].is_array


@pytest.mark.parametrize("path", [".", "a.", "a[0]", "a[]b", "a..b", "a.[]"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="is no path to records"):
        steps_of(path)


leaf = st.one_of(st.none(), st.sampled_from([1, "x", True, "item"]))
values = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "item", "c.d"]), inner, max_size=3),
    ),
    max_leaves=12,
)
documents = st.one_of(
    st.lists(values, max_size=3), st.dictionaries(st.sampled_from("ab"), values, max_size=3)
)
paths = st.sampled_from(["", "a", "a.b", "a[].b", "[].a", "a[].b[].a", "[].a.b"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents, min_size=1, max_size=4), paths, st.sampled_from(["\n", "  \n\n", " "]))
def test_both_counts_agree_whatever_the_document_and_the_path(taking, several, path, between):
    content = between.join(json.dumps(document) for document in several).encode()
    try:
        taking(content, "json", records=(("", path), ("more", "a")))
    except FileRefused as refused:
        assert refused.code in ("NO_RECORDS", "BROKEN_JSON")
