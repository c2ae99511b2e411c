# The accounting law on generated and damaged files; ``taking`` checks it with every reading.

import csv
import io
import json

import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.intake.readers import FileRefused

few = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
values = st.text(st.sampled_from('a1,;"\n\r\t 甲𠮷.：{}'), max_size=5)
names = st.lists(st.text("abc甲乙", min_size=1, max_size=4), min_size=2, max_size=4, unique=True)


@st.composite
def tables(draw):
    header = draw(names)
    width = len(header)
    return header, draw(st.lists(st.lists(values, min_size=width, max_size=width), max_size=6))


@st.composite
def damaged(draw, whole):
    content = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 4))
        content[at : at + length] = draw(
            st.sampled_from(
                [
                    b"",
                    b",",
                    b'"',
                    b"\n",
                    b"<",
                    b">",
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b":",
                    b"\xff",
                    b"\0",
                    b"\xd6\xd0",
                    b"\\ud800",
                ]
            )
        )
    return bytes(content)


def as_csv(table, encoding="utf-8", quoting=csv.QUOTE_MINIMAL, line_end="\r\n"):
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=line_end)
    writer.writerow(table[0])
    writer.writerows(table[1])
    return text.getvalue().encode(encoding)


csv_files = st.builds(
    as_csv,
    tables(),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


def as_des(tag, fields):
    inner = "".join(f"<F{number}>{field}</F{number}>" for number, field in enumerate(fields))
    return f"<DES><TITLE><DATA_EN>{tag}</DATA_EN></TITLE><CONTEXT>{inner}</CONTEXT></DES>"


plain = st.text("a1 甲,", max_size=3)
tagged = st.lists(st.tuples(st.sampled_from(["A", "B", ""]), st.lists(plain, max_size=3)), max_size=5)
xml_files = tagged.map(lambda records: f"<R>{''.join(as_des(*record) for record in records)}</R>".encode())
line_files = tagged.map(
    lambda records: "\n".join(
        json.dumps({"TITLE": {"DATA_EN": tag}, "CONTEXT": {str(n): field for n, field in enumerate(fields)}})
        for tag, fields in records
    ).encode()
)

related = st.one_of(st.none(), st.lists(st.one_of(st.just("L1"), st.just({"id": "L2"})), max_size=2))
organisations = st.one_of(
    st.none(), st.lists(st.fixed_dictionaries({"id": st.sampled_from(["P", "Q"])}), max_size=2)
)
odd = st.sampled_from([None, 1, "x", [], {}, [1]])
releases = st.fixed_dictionaries(
    # Few processes, of which one release often is later than another.
    {"ocid": st.sampled_from("op"), "date": st.sampled_from(["2026-01-01", "2026-02-01T09:00:00Z"])},
    optional={
        "tag": st.sampled_from([["tender"], ["compiled"]]),
        "tender": st.one_of(odd, st.fixed_dictionaries({}, optional={"lots": st.one_of(odd, organisations)})),
        "bids": st.one_of(
            odd,
            st.fixed_dictionaries(
                {
                    "details": st.one_of(
                        odd,
                        st.lists(
                            st.fixed_dictionaries(
                                {"relatedLots": related, "tenderers": organisations},
                                optional={"id": st.sampled_from("123")},
                            ),
                            max_size=3,
                        ),
                    )
                }
            ),
        ),
        "awards": st.one_of(
            odd,
            st.lists(
                st.fixed_dictionaries(
                    {"id": st.sampled_from(["a", "b"]), "suppliers": organisations, "relatedLots": related}
                ),
                max_size=2,
            ),
        ),
        "contracts": st.one_of(
            odd, st.lists(st.fixed_dictionaries({"awardID": st.sampled_from(["a", "b", "c"])}), max_size=3)
        ),
        "parties": st.one_of(odd, organisations),
    },
)
ocds_files = st.lists(releases, min_size=1, max_size=4).flatmap(
    lambda many: st.sampled_from(
        [
            json.dumps(many),
            json.dumps({"releases": many}, indent=1),
            json.dumps({"records": [{"ocid": "o", "releases": many}]}),
            "\n".join(map(json.dumps, many)),
        ]
    ).map(str.encode)
)


@few
@given(
    tables(),
    st.sampled_from(["utf-8", "gb18030", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example((["a", "b"], [["\r", '"'], ["", ""]]), "utf-8", csv.QUOTE_MINIMAL)
def test_every_value_of_a_table_comes_back(taking, table, encoding, quoting):
    _, rows = table
    taken = taking(as_csv(table, encoding, quoting), "delimited")
    assert [list(row.values()) for row in taken.records()] == rows
    assert not taken.unreadable


@few
@given(damaged(csv_files))
def test_a_damaged_table_is_accounted_for_or_refused(taking, content):
    accounted(taking, content, "delimited")


@few
@given(damaged(xml_files))
@example(b"<R><DES><TITLE><DATA_EN>A</DATA_EN></TITLE><CONTEXT><DES/></CONTEXT></DES></R>")
def test_damaged_xml_is_accounted_for_or_refused(taking, content):
    accounted(taking, content, "exchange")


@few
@given(damaged(line_files))
def test_damaged_json_lines_are_accounted_for_or_refused(taking, content):
    accounted(taking, content, "exchange")


@few
@given(ocds_files)
def test_every_ocds_file_is_accounted_for(taking, content):
    taking(content, "ocds")


@few
@given(damaged(ocds_files))
def test_damaged_ocds_is_accounted_for_or_refused(taking, content):
    accounted(taking, content, "ocds")


cells = st.one_of(
    st.none(),
    st.sampled_from(["甲", " ", "3", "备注：无", "=1+1", ""]),
    st.integers(0, 10**17),
    st.floats(0, 1),
    st.booleans(),
)


@few
@given(st.lists(st.lists(cells, max_size=4), max_size=6), st.integers(0, 2))
def test_every_workbook_is_accounted_for(taking, rows, above):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = workbook.add_worksheet("表")
    for number, row in enumerate([["标段：1"]] * above + [["序号", None, "名称"], *rows]):
        for column, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, column, cell)
    workbook.close()
    taking(content.getvalue(), "workbook", header=("序号", "名称"))


def small_workbook():
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"in_memory": True})
    workbook.add_worksheet("表").write_row("A1", ["序号", "名称"])
    workbook.close()
    return content.getvalue()


@few
@given(damaged(st.just(small_workbook())))
def test_a_damaged_workbook_is_accounted_for_or_refused(taking, content):
    accounted(taking, content, "workbook")


@pytest.mark.parametrize("format", ["delimited", "workbook", "exchange", "ocds", "parquet"])
def test_no_bytes_at_all_end_in_anything_but_rows_or_a_refusal(taking, format):
    @few
    @given(st.binary(max_size=64))
    def hold(content):
        accounted(taking, content, format)

    hold()


def accounted(taking, content, format):
    # The law is checked inside; only a refusal may stand in its place.
    try:
        taking(content, format)
    except FileRefused as refused:
        assert refused.code
        assert refused.reason_zh
