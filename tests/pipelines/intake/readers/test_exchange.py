import json

import pytest

from pipelines.intake.readers import FileRefused, FileRule, counting

BID = "<BIDDER_NAME>𠮷野建设</BIDDER_NAME><BID_PRICE>100.50</BID_PRICE><REMARK></REMARK>"


def des(context=BID, tag="TENDER_LIST", key="K1"):
    title = f"<DATA_EN>{tag}</DATA_EN><DATA_KEY>{key}</DATA_KEY>"
    return f"<DES><TITLE>{title}</TITLE><CONTEXT>{context}</CONTEXT></DES>"


def xml(*records, encoding="UTF-8"):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<BATCH>' + "\n".join(records) + "</BATCH>"
    return text.encode({"GBK": "gb18030", "gb2312": "gb18030"}.get(encoding, encoding))


def line(**record):
    return json.dumps(record, ensure_ascii=False)


GOOD = line(TITLE={"DATA_EN": "TENDER_LIST", "DATA_KEY": "K1"}, CONTEXT={"BID_PRICE": "1"})


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030", "GBK", "gb2312", "utf-16"])
def test_records_are_read_in_the_encoding_they_declare(taking, encoding):
    taken = taking(xml(des(), encoding=encoding), "exchange")
    assert taken.records("TENDER_LIST") == [
        {
            "TITLE/DATA_EN": "TENDER_LIST",
            "TITLE/DATA_KEY": "K1",
            "BIDDER_NAME": "𠮷野建设",
            "BID_PRICE": "100.50",
            "REMARK": "",
        }
    ]
    assert taken.paths("TENDER_LIST") == ["record 1 (DATA_KEY K1)"]


def test_one_record_may_be_the_whole_document(taking):
    assert len(taking(des().encode(), "exchange").records("TENDER_LIST")) == 1


def test_records_are_sorted_into_sections_by_their_tag(taking):
    taken = taking(xml(des(), des(tag="SECTION", key="S1"), des("<A>1</A>", key="K2")), "exchange", size=1)
    assert [row["raw_row"] for row in taken.rows["TENDER_LIST"]] == [1, 3]
    assert taken.records("TENDER_LIST")[1]["A"] == "1"
    assert taken.records("TENDER_LIST")[1]["BID_PRICE"] is None
    assert taken.records("TENDER_LIST")[0]["A"] is None
    assert taken.paths("SECTION") == ["record 2 (DATA_KEY S1)"]


def test_xml_inside_a_field_is_its_text_escaped_or_not(taking):
    inner = "<LOCK><NO>42</NO></LOCK><LOCK><NO>43</NO></LOCK>"
    escaped = inner.replace("<", "&lt;").replace(">", "&gt;")
    taken = taking(
        xml(
            *(
                des(f"<VALUATION_XML>{text}</VALUATION_XML>")
                for text in (inner, escaped, f"<![CDATA[{inner}]]>")
            )
        ),
        "exchange",
    )
    assert [row["VALUATION_XML"] for row in taken.records("TENDER_LIST")] == [inner] * 3


@pytest.mark.parametrize(
    ("record", "code", "section"),
    [
        (des("<A>1</A><A>1</A>"), "DUPLICATE_FIELD", "TENDER_LIST"),
        ("<DES><TITLE><DATA_EN>SECTION</DATA_EN></TITLE></DES>", "PART_MISSING", "SECTION"),
        ("<DES><CONTEXT><A>1</A></CONTEXT></DES>", "PART_MISSING", "(unnamed)"),
        ("<DES><TITLE><DATA_KEY>1</DATA_KEY></TITLE><CONTEXT/></DES>", "NO_RECORD_TAG", "(unnamed)"),
        (des().replace("</TITLE>", "<DATA_EN>B</DATA_EN></TITLE>"), "NO_RECORD_TAG", "(unnamed)"),
        (des().replace("</DES>", "<CONTEXT/></DES>"), "DUPLICATE_FIELD", "TENDER_LIST"),
        (des().replace("</DES>", "<OTHER/></DES>"), "UNKNOWN_PART", "TENDER_LIST"),
        (des("<A>1</A>2<B>3</B>"), "STRAY_TEXT", "TENDER_LIST"),
        (des("<raw_row>1</raw_row>"), "RESERVED_COLUMN", "TENDER_LIST"),
        (f"<DES>{des()}</DES>", "PART_MISSING", "(unnamed)"),
    ],
)
def test_a_record_with_two_meanings_is_kept_aside_and_the_rest_goes_on(taking, record, code, section):
    taken = taking(xml(des(), record, des()), "exchange")
    assert taken.codes() == [code]
    assert taken.unreadable[0].section == section
    assert taken.unreadable[0].raw_path.startswith("record 2")
    assert taken.unreadable[0].raw_text.startswith("<DES>")
    assert len(taken.records("TENDER_LIST")) == 2


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE DES [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS + des("<A>&i;</A>"),
        '<!DOCTYPE DES [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + des("<A>&x;</A>"),
        '<!DOCTYPE DES SYSTEM "http://127.0.0.1/x.dtd">' + des(),
        "<!DOCTYPE DES>" + des(),
    ],
    ids=["billion laughs", "file entity", "outside dtd", "bare"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused(refusal, tmp_path, text, encoding):
    assert refusal(text.encode(encoding), "exchange") == "DOCTYPE"
    (tmp_path / "hash").write_bytes(text.encode(encoding))
    with pytest.raises(FileRefused) as refused:
        counting.count_records(tmp_path / "hash", FileRule(("*",), "exchange"), "x.xml", tmp_path)
    assert refused.value.code == "DOCTYPE"


def test_malformed_xml_is_refused_with_its_place(taking, refusal):
    content = xml(des(), "<DES><TITLE></DES>")
    assert refusal(content, "exchange") == "BROKEN_XML"
    assert refusal(xml(des(), des())[:-30], "exchange") == "BROKEN_XML"
    with pytest.raises(Exception, match="line 3, column "):
        taking(content, "exchange")


def test_bytes_that_are_not_what_the_xml_declares_are_refused(refusal):
    assert refusal(xml(des()).replace("𠮷".encode(), "𠮷".encode("gb18030")), "exchange") == "ENCODING"
    assert refusal(xml(des()).replace(b"UTF-8", b"big5"), "exchange") == "ENCODING"


def test_endless_nesting_is_refused(refusal):
    assert refusal(des("<a>" * 100_000 + "</a>" * 100_000).encode(), "exchange") == "XML_TOO_LARGE"
    assert refusal(des("<a/>" * 250_000).encode(), "exchange") == "XML_TOO_LARGE"


def test_xml_of_another_kind_is_refused(refusal):
    assert refusal(b"<html5><p/></html5>", "exchange") == "NO_RECORDS"


def test_json_lines_hold_the_same_records(taking):
    content = [
        line(
            TITLE={"DATA_EN": "TENDER_LIST", "DATA_KEY": "K1"},
            CONTEXT={"BIDDER_NAME": "䶮源", "REMARK": None},
        ),
        "",
        line(DES={"TITLE": {"DATA_EN": "SECTION"}, "CONTEXT": {"A": ["x", 1]}}),
    ]
    taken = taking("\n".join(content).encode("gb18030"), "exchange")
    assert taken.records("TENDER_LIST") == [
        {"TITLE/DATA_EN": "TENDER_LIST", "TITLE/DATA_KEY": "K1", "BIDDER_NAME": "䶮源", "REMARK": None}
    ]
    assert taken.paths("SECTION") == ["line 3"]


def test_numbers_keep_the_digits_of_the_file(taking):
    text = '{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"a":911100006000373416,"b":1.50,"c":1e5,"d":true,"e":-0}}'
    [row] = taking(text.encode(), "exchange").records("T")
    assert list(row.values())[1:] == ["911100006000373416", "1.50", "1e5", "true", "-0"]


@pytest.mark.parametrize(
    ("text", "code", "section"),
    [
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"PRICE":1,"PRICE":2}}', "DUPLICATE_KEY", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"PRICE":NaN}}', "NOT_A_NUMBER", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"PRICE":-Infinity}}', "NOT_A_NUMBER", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"A":' + "[" * 40 + "]" * 40 + "}}", "TOO_DEEP", "T"),
        ("[" * 200_000, "NOT_JSON", "(unnamed)"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"A":' + "9" * 5000 + "}}", "NUMBER_TOO_LONG", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"A":"\\ud800"}}', "BROKEN_TEXT", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"A":"x"', "NOT_JSON", "(unnamed)"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{}} x', "NOT_JSON", "(unnamed)"),
        ('"text"', "NOT_AN_OBJECT", "(unnamed)"),
        ('{"TITLE":{"DATA_EN":"T"}}', "PART_MISSING", "T"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":[]}', "PART_MISSING", "T"),
        ('{"TITLE":{"DATA_EN":null},"CONTEXT":{}}', "NO_RECORD_TAG", "(unnamed)"),
        ('{"TITLE":{"DATA_EN":"\\ud800"},"CONTEXT":{}}', "BROKEN_TEXT", "(unnamed)"),
        ('{"TITLE":{"DATA_EN":"T"},"CONTEXT":{},"MORE":{}}', "UNKNOWN_PART", "T"),
    ],
)
def test_a_bad_line_is_kept_aside_with_its_number_and_the_rest_goes_on(taking, text, code, section):
    taken = taking(f"{GOOD}\n{text}\n{GOOD}\n".encode(), "exchange")
    assert taken.codes() == [code]
    [record] = taken.unreadable
    assert (record.section, record.raw_row, record.raw_path) == (section, 2, "line 2")
    assert len(taken.records("TENDER_LIST")) == 2


def test_a_line_of_many_megabytes_is_kept_aside(taking):
    long = line(TITLE={"DATA_EN": "T"}, CONTEXT={"A": "x" * (17 * 2**20)})
    taken = taking(f"{GOOD}\n{long}\n{GOOD}\n".encode(), "exchange")
    assert taken.codes() == ["LINE_TOO_LONG"]
    assert len(taken.records("TENDER_LIST")) == 2


def test_both_halves_of_a_surrogate_pair_are_one_character(taking):
    text = '{"TITLE":{"DATA_EN":"T"},"CONTEXT":{"A":"\\ud842\\udfb7"}}'
    assert taking(text.encode(), "exchange").records("T")[0]["A"] == "𠮷"


def test_a_file_of_nothing_but_broken_lines_is_refused(refusal):
    assert refusal(b"{\n" * 100_001, "exchange") == "TOO_MANY_UNREADABLE"


def test_names_that_hold_data_are_refused(refusal):
    many = "\n".join(line(TITLE={"DATA_EN": f"T{number}"}, CONTEXT={}) for number in range(501))
    assert refusal(many.encode(), "exchange") == "TOO_MANY_NAMES"
    wide = xml(des("".join(f"<F{number}/>" for number in range(2001))))
    assert refusal(wide, "exchange") == "TOO_MANY_NAMES"
