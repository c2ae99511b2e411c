# Documents made to harm the reader: each is refused or read with little time and memory.

import io
import resource
import time
import zipfile
import zlib

import docx
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.intake.readers import FileRefused

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.fixture(autouse=True)
def small_and_quick():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20, "one GiB, in KiB"


def word(body="<w:p><w:r><w:t>正文</w:t></w:r></w:p>", head="", **members):
    content = io.BytesIO()
    docx.Document().save(content)
    result = io.BytesIO()
    with (
        zipfile.ZipFile(content) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = f"<?xml version='1.0'?>{head}<w:document {WORD}><w:body>{body}</w:body></w:document>"
            new.writestr(name, text if name == "word/document.xml" else old.read(name))
        for name, data in members.items():
            new.writestr(name.replace("__", "/"), data)
    return result.getvalue()


def pdf(pages, stream=b"", filters=b""):
    """A PDF by hand: page objects that all show one content stream."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (5 + n) for n in range(pages))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d%s>>stream\n%s\nendstream" % (len(stream), filters, stream),
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>>>>>"
    objects += [page] * pages
    content = b"%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj%sendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        content
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (len(objects) + 1, table, len(objects) + 1, len(content))
    )


def test_a_bomb_of_text_is_refused(refusal):
    bomb = "<w:p><w:r><w:t>" + "0" * 40 * 2**20 + "</w:t></w:r></w:p>"
    assert refusal(word(bomb), "document") == "DANGEROUS_ARCHIVE"


def test_a_bomb_beside_the_text_is_refused(refusal):
    assert refusal(word(word__media__zeros_bin=bytes(64 * 2**20)), "document") == "DANGEROUS_ARCHIVE"


def test_members_without_end_are_refused(refusal):
    members = {f"word__media__{number}": b"" for number in range(5_001)}
    assert refusal(word(**members), "document") == "DANGEROUS_ARCHIVE"


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "]>",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
    ids=["laughs", "outside"],
)
def test_entities_are_refused(refusal, head):
    assert refusal(word("<w:p><w:r><w:t>&a;</w:t></w:r></w:p>", head), "document") == "DOCTYPE"


def test_elements_without_end_inside_each_other_are_refused(refusal):
    deep = "<w:tbl><w:tr><w:tc>" * 50_000 + "</w:tc></w:tr></w:tbl>" * 50_000
    assert refusal(word(deep + str(zlib.crc32(b""))), "document") in ("BROKEN_XML", "DANGEROUS_ARCHIVE")


def test_paragraphs_without_end_are_refused(refusal, monkeypatch):
    monkeypatch.setattr("pipelines.intake.readers.gathering.MAX_PARTS", 10_000)
    many = "".join(f"<w:p><w:r><w:t>{zlib.crc32(b'%d' % n)}</w:t></w:r></w:p>" for n in range(10_001))
    assert refusal(word(many), "document") == "DOCUMENT_TOO_LARGE"


def test_a_text_part_that_is_not_there_is_refused(refusal):
    content = word(word__document2_xml="<x/>")
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as new:
            for name in old.namelist():
                if name != "word/document.xml":
                    new.writestr(name, old.read(name))
    assert refusal(packed.getvalue(), "document") == "NO_TEXT_PART"


def test_ten_thousand_empty_pages_are_refused_and_a_thousand_are_read(refusal, taking):
    assert refusal(pdf(10_000), "document") == "TOO_MANY_PAGES"
    taken = taking(pdf(1_000), "document")
    assert len(taken.rows["parts"]) == 1_000
    assert any(note.startswith("1,000 of 1,000 pages hold no text") for note in taken.notes)


def test_a_page_of_text_without_end_is_refused(refusal, monkeypatch):
    monkeypatch.setattr("pipelines.intake.readers.gathering.MAX_CHARS", 100_000)
    stream = b"BT /F 1 Tf " + b"(0123456789) Tj " * 10_001 + b"ET"
    packed = zlib.compress(stream)
    assert refusal(pdf(1, packed, b"/Filter/FlateDecode"), "document") == "DOCUMENT_TOO_LARGE"


def test_a_stream_that_grows_a_thousand_times_does_no_harm(taking):
    packed = zlib.compress(b" " * 200 * 2**20, 9)
    assert len(taking(pdf(1, packed, b"/Filter/FlateDecode"), "document").rows["parts"]) == 1


def test_pages_that_name_themselves_do_not_go_round(taking):
    content = pdf(2).replace(b"/Kids[5 0 R 6 0 R]", b"/Kids[2 0 R 6 0 R]")
    taken = taking(content, "document")
    assert len(taken.rows.get("parts", [])) + len(taken.unreadable) <= 2


def test_a_sheet_that_spans_a_billion_cells_is_refused(refusal):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    sheet = workbook.add_worksheet("报价")
    sheet.write("A1", 1)
    sheet.write(1_048_575, 16_383, 1)
    workbook.close()
    assert refusal(content.getvalue(), "document") == "SHEET_TOO_LARGE"


def test_a_picture_with_a_lying_head_has_no_size(taking):
    head = b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xff" + b"IHDR" + b"\xff" * 8
    picture = '<w:p><w:r><a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="r" r:embed="X"/>'
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="X" Type="http://x/image" Target="media/1.png"/></Relationships>'
    )
    plain = word(picture.replace('"r" r:', '"urn:r" r:') + "</w:r></w:p>", **{"word__media__1.png": head})
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name, relations if name.endswith("document.xml.rels") else old.read(name))
    (image,) = taking(packed.getvalue(), "document").rows["images"]
    assert image["bytes"] == str(len(head))


PDF = pdf(3, b"BT /F 1 Tf (abc) Tj ET")
DOCX = word("<w:p><w:r><w:t>甲</w:t></w:r></w:p>" * 20)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([PDF, DOCX]), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=4))
def test_whatever_is_changed_every_piece_is_accounted_for_or_the_file_is_refused(taking, content, changes):
    damaged = bytearray(content)
    for at, data in changes:
        place = int(at * len(damaged))
        damaged[place : place + len(data)] = data
    try:
        taking(bytes(damaged), "document")
    except FileRefused as refused:
        assert refused.reason_zh
