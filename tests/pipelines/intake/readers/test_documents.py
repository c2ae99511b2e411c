# Bids as documents: what of them is read, under which place, and what is refused.

import hashlib
import io
import struct
import zipfile
import zlib

import docx
import pytest
import xlsxwriter
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from pipelines.intake.readers import gathering, pdf

pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))


def png(width=2, height=1, grey=7):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes([grey]) * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def saved(document):
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def word(*paragraphs, **properties):
    document = docx.Document()
    for name, value in properties.items():
        setattr(document.core_properties, name, value)
    for text in paragraphs:
        document.add_paragraph(text)
    return saved(document)


def rewritten(content, change):
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return result.getvalue()


def added(content, name, data):
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def printed(*pages, encrypt=None, **properties):
    """A PDF: each page a list of lines, or a picture."""
    content = io.BytesIO()
    paper = canvas.Canvas(content, encrypt=encrypt, invariant=1)
    for name, value in properties.items():
        getattr(paper, f"set{name.capitalize()}")(value)
    for page in pages:
        paper.setFont("STSong-Light", 12)
        if isinstance(page, bytes):
            paper.drawImage(ImageReader(io.BytesIO(page)), 100, 100, 50, 50)
        else:
            for number, line in enumerate(page):
                paper.drawString(72, 760 - 20 * number, line)
        paper.showPage()
    paper.save()
    return content.getvalue()


def texts(taken):
    return [(row["place"], row["text"]) for row in taken.rows["parts"]]


def properties(taken):
    return {row["property"]: row["author"] or row["words"] for row in taken.rows["properties"]}


def images(taken):
    return [
        (row["place"], row["image_sha"], row["bytes"], row["width"], row["height"])
        for row in taken.rows["images"]
    ]


# ---- docx


def test_paragraphs_and_cells_come_in_the_order_in_which_they_are_read(taking):
    document = docx.Document()
    document.add_paragraph("第一章 投标函")
    document.add_paragraph("   ")
    table = document.add_table(2, 2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), "甲乙丙丁", strict=True):
        cell.text = text
    document.add_paragraph("第二章 施工组织设计")
    document.sections[0].header.paragraphs[0].text = "某县某工程投标文件"
    document.sections[0].footer.paragraphs[0].text = "第1页"
    taken = taking(saved(document), "document", name="bid.docx")
    assert texts(taken) == [
        ("paragraph 1 第1段", "第一章 投标函"),
        ("table 1 row 1 表1第1行", "甲"),
        ("table 1 row 1 表1第1行", "乙"),
        ("table 1 row 2 表1第2行", "丙"),
        ("table 1 row 2 表1第2行", "丁"),
        ("paragraph 2 第2段", "第二章 施工组织设计"),
        ("header, paragraph 1 页眉第1段", "某县某工程投标文件"),
        ("footer, paragraph 1 页脚第1段", "第1页"),
    ]
    assert [row["raw_row"] for row in taken.rows["parts"]] == list(range(1, 9))


def test_the_document_says_its_hashes_and_what_it_holds(taking):
    content = word("甲", "乙")
    (file,) = taking(content, "document", name="bid.docx").records("file")
    assert file == {
        "file_sha": hashlib.sha256(content).hexdigest(),
        "file_md5": hashlib.md5(content).hexdigest(),
        "form": "docx",
        "parts": "2",
        "parts_without_text": "0",
        "images": "0",
    }


def test_text_in_boxes_content_controls_and_insertions_is_read_once_and_deleted_text_is_not(taking):
    document = docx.Document()
    body = document.element.body
    space = nsdecls("w")
    outer = parse_xml(
        f'<w:p {space} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' xmlns:v="urn:schemas-microsoft-com:vml">'
        "<w:r><w:t>框外</w:t></w:r>"
        "<w:r><mc:AlternateContent>"
        "<mc:Choice><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    control = parse_xml(
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>目录</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    tracked = parse_xml(
        f"<w:p {space}><w:ins><w:r><w:t>加入</w:t></w:r></w:ins><w:del><w:r><w:delText>删去</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>移走</w:t></w:r></w:moveFrom></w:p>"
    )
    tabbed = parse_xml(
        f'<w:p {space}><w:pPr><w:tabs><w:tab w:val="left" w:pos="1"/></w:tabs></w:pPr>'
        "<w:r><w:t>总价</w:t><w:tab/><w:t>壹佰万元</w:t></w:r></w:p>"
    )
    for element in (outer, control, tracked, tabbed):
        body.insert(len(body) - 1, element)
    assert [text for _, text in texts(taking(saved(document), "document"))] == [
        "框内",
        "框外",
        "目录",
        "加入",
        "总价\t壹佰万元",
    ]


def test_notes_and_comments_are_read(taking):
    document = docx.Document()
    run = document.add_paragraph("正文").add_run("被批注")
    document.add_comment(run, text="请按甲公司的改", author="某人")
    assert ("comments, paragraph 1 批注第1段", "请按甲公司的改") in texts(taking(saved(document), "document"))


def test_properties_of_a_docx_are_kept_and_persons_apart(taking):
    content = word("x", author="张三", last_modified_by="李四", title="投标文件")
    content = added(
        rewritten(
            content,
            lambda name, data: (
                data.replace(
                    b"</Relationships>",
                    b'<Relationship Id="rIdX" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                    b'custom-properties" Target="docProps/custom.xml"/></Relationships>',
                )
                if name == "_rels/.rels"
                else data
            ),
        ),
        "docProps/custom.xml",
        b'<?xml version="1.0"?><Properties xmlns:vt="v"><property name="KSO"><vt:lpwstr>1</vt:lpwstr></property>'
        b'<property name="ICV"><vt:lpwstr>0A1B2C</vt:lpwstr></property></Properties>',
    )
    taken = taking(content, "document")
    found = properties(taken)
    assert (found["author"], found["last_modified_by"], found["title"]) == ("张三", "李四", "投标文件")
    assert found["installation_id"] == "0A1B2C"
    assert found["created_at"].startswith("2013-")
    persons = [row["property"] for row in taken.rows["properties"] if row["author"]]
    assert sorted(persons) == ["author", "last_modified_by"]


def test_the_id_that_word_gives_a_document_is_a_property(taking):
    def change(name, data):
        if name != "word/settings.xml":
            return data
        mark = (
            b'<w15:docId xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml" w15:val="{AB-1}"/>'
        )
        return data.replace(b"</w:settings>", mark + b"</w:settings>")

    assert properties(taking(rewritten(word("x"), change), "document"))["document_id"] == "{AB-1}"


def test_images_are_hashed_as_stored_with_their_place_and_size(taking):
    seal, other = png(3, 2), png(5, 4, 9)
    document = docx.Document()
    document.add_paragraph("营业执照")
    document.add_picture(io.BytesIO(seal))
    document.add_paragraph("资质证书")
    document.add_picture(io.BytesIO(other))
    document.add_picture(io.BytesIO(seal))
    sha = hashlib.sha256(seal).hexdigest()
    assert images(taking(saved(document), "document")) == [
        ("after paragraph 1 第1段后", sha, str(len(seal)), "3", "2"),
        ("after paragraph 2 第2段后", hashlib.sha256(other).hexdigest(), str(len(other)), "5", "4"),
        ("after paragraph 2 第2段后", sha, str(len(seal)), "3", "2"),
    ]


def test_an_image_of_a_kind_that_nobody_knows_has_no_size(taking):
    document = docx.Document()
    document.add_picture(io.BytesIO(png()))
    content = rewritten(
        saved(document), lambda name, data: b"\1\0\0\0 a metafile" if name.endswith("image1.png") else data
    )
    assert [row[2:] for row in images(taking(content, "document"))] == [("15", None, None)]


def test_a_relation_that_leads_nowhere_costs_only_its_image(taking):
    document = docx.Document()
    document.add_paragraph("正文")
    document.add_picture(io.BytesIO(png()))
    content = rewritten(
        saved(document),
        lambda name, data: (
            data.replace(b"media/image1.png", b"../NULL") if name.endswith("document.xml.rels") else data
        ),
    )
    taken = taking(content, "document")
    assert texts(taken) == [("paragraph 1 第1段", "正文")]
    assert images(taken) == []


# ---- pdf


def test_every_page_of_a_pdf_is_a_part_and_pages_without_text_are_counted(taking):
    taken = taking(printed(["投标函", "致：某局"], png(), ["施工组织设计"]), "document", name="bid.pdf")
    assert texts(taken) == [
        ("page 1 第1页", "投标函\n致：某局"),
        ("page 2 第2页", ""),
        ("page 3 第3页", "施工组织设计"),
    ]
    (file,) = taken.records("file")
    assert (file["form"], file["parts"], file["parts_without_text"]) == ("pdf", "3", "1")
    assert any(note.startswith("1 of 3 pages hold no text") for note in taken.notes)


def test_properties_of_a_pdf_have_the_names_of_a_docx(taking):
    found = properties(taking(printed(["x"], author="张三", creator="某软件", title="投标文件"), "document"))
    assert (found["author"], found["application"], found["title"]) == ("张三", "某软件", "投标文件")
    assert found["created_at"] == "2000-01-01T00:00:00+00:00"
    assert len(found["document_id"]) == 32


def test_the_same_image_in_two_pdfs_has_the_same_hash(taking):
    seal = png(30, 20)
    (one,) = images(taking(printed(["甲"], seal), "document"))
    (two,) = images(taking(printed(["乙"], ["丙"], seal), "document"))
    assert one[1] == two[1]
    assert (one[0], two[0]) == ("page 2 第2页", "page 3 第3页")
    assert one[3:] == ("30", "20")


def test_a_moment_of_a_pdf_is_written_as_anywhere_else():
    assert pdf._moment("D:20260501093000+08'00'") == "2026-05-01T09:30:00+08:00"
    assert pdf._moment("D:20260501093000Z") == "2026-05-01T09:30:00Z"
    assert pdf._moment("D:20260501093000") == "2026-05-01T09:30:00"
    assert pdf._moment("五月") == "五月"


# ---- xlsx and text


def book(hidden=(), **sheets):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name in hidden:
            sheet.hide()
    workbook.set_properties({"author": "张三", "company": "甲公司"})
    workbook.close()
    return content.getvalue()


def test_every_filled_row_of_every_sheet_is_a_part(taking):
    content = book(hidden=["底稿"], 报价=[["名称", "单价"], [], ["土方", 12.5]], 底稿=[["成本", 3]])
    taken = taking(content, "document", name="报价.xlsx")
    assert texts(taken) == [
        ("sheet 报价 row 1 第1行", "名称\t单价"),
        ("sheet 报价 row 3 第3行", "土方\t12.5"),
        ("sheet 底稿 row 1 第1行", "成本\t3"),
    ]
    assert any("底稿 is hidden, and was read" in note for note in taken.notes)
    assert properties(taken)["author"] == "张三"
    assert properties(taken)["company"] == "甲公司"


def test_images_of_a_sheet_are_at_their_row(taking):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    sheet = workbook.add_worksheet("报价")
    seal = png(3, 2)
    sheet.insert_image("B4", "seal.png", {"image_data": io.BytesIO(seal)})
    workbook.close()
    sha = hashlib.sha256(seal).hexdigest()
    assert images(taking(content.getvalue(), "document")) == [
        ("sheet 报价 row 4 第4行", sha, str(len(seal)), "3", "2")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_lines_of_a_text_are_parts_whatever_its_encoding(taking, encoding):
    content = "投标函\r\n\r\n致：𠮷县某局\n  本工程\u2028质量目标\r".encode(encoding)
    assert texts(taking(content, "document", name="bid.txt")) == [
        ("line 1 第1行", "投标函"),
        ("line 3 第3行", "致：𠮷县某局"),
        ("line 4 第4行", "本工程\u2028质量目标"),
    ]


# ---- what is refused


def test_a_name_that_says_another_form_is_refused(refusal):
    assert refusal(word("x"), "document", name="bid.pdf") == "WRONG_EXTENSION"
    assert refusal(printed(["x"]), "document", name="bid.docx") == "WRONG_EXTENSION"
    assert refusal("投标函".encode(), "document", name="bid.docx.gz") == "WRONG_EXTENSION"


def test_a_name_that_says_nothing_is_read_by_its_content(taking):
    assert texts(taking(word("甲"), "document", name="投标文件")) == [("paragraph 1 第1段", "甲")]
    assert texts(taking(word("甲"), "document", name="wps.doc")) == [("paragraph 1 第1段", "甲")]


def test_a_pdf_with_a_password_is_refused_and_one_with_mere_rights_is_read(refusal, taking):
    locked = StandardEncryption("secret", ownerPassword="owner", strength=128)
    assert refusal(printed(["投标函"], encrypt=locked), "document") == "ENCRYPTED"
    rights = StandardEncryption("", ownerPassword="owner", canPrint=0, strength=128)
    assert texts(taking(printed(["投标函"], encrypt=rights), "document")) == [("page 1 第1页", "投标函")]


def test_an_office_file_with_a_password_is_refused(refusal):
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    assert refusal(ole + "EncryptedPackage".encode("utf-16-le"), "document") == "ENCRYPTED"
    assert refusal(ole + "WordDocument".encode("utf-16-le"), "document") == "OLD_OFFICE"


@pytest.mark.parametrize("member", ["word/vbaProject.bin", "word/VBAPROJECT.BIN"])
def test_a_document_with_macros_is_refused(refusal, member):
    assert refusal(added(word("x"), member, b"program"), "document") == "MACRO_FILE"


def test_a_workbook_with_macros_is_refused(refusal):
    assert refusal(added(book(表=[["x"]]), "xl/vbaProject.bin", b"program"), "document") == "MACRO_FILE"


def test_a_cut_pdf_is_refused(refusal):
    assert refusal(printed(["投标函"])[:60], "document") == "DAMAGED_PDF"
    assert refusal(b"%PDF-1.7\n" + b"nothing here " * 99, "document") == "DAMAGED_PDF"


def test_a_cut_docx_is_refused(refusal):
    content = word(*(f"第{number}段" for number in range(200)))
    assert refusal(content[: len(content) // 2], "document") == "DAMAGED_ARCHIVE"


def test_a_package_that_names_no_text_is_refused(refusal):
    def change(name, data):
        return data.replace(b"word/document.xml", b"word/elsewhere.xml") if name == "_rels/.rels" else data

    assert refusal(rewritten(word("x"), change), "document") == "NO_TEXT_PART"


def test_text_that_is_no_xml_is_refused(refusal):
    broken = rewritten(word("x"), lambda name, data: data[:-20] if name == "word/document.xml" else data)
    assert refusal(broken, "document") == "BROKEN_XML"


def test_other_content_is_refused(refusal):
    assert refusal(b"PAR1 xxxx PAR1", "document") == "FORMAT_MISMATCH"
    assert refusal(b"\x7fELF\x02\x01\x01\0\0\0", "document") == "BINARY"
    assert refusal(b"", "document") == "EMPTY_FILE"
    assert refusal(word("x"), "delimited") == "FORMAT_MISMATCH"


def test_limits_are_kept(refusal, monkeypatch):
    monkeypatch.setattr(gathering, "MAX_PARTS", 2)
    assert refusal(word("甲", "乙", "丙"), "document") == "DOCUMENT_TOO_LARGE"
    monkeypatch.setattr(gathering, "MAX_PARTS", 9)
    monkeypatch.setattr(gathering, "MAX_CHARS", 2)
    assert refusal("甲乙丙".encode(), "document") == "DOCUMENT_TOO_LARGE"


def test_images_beyond_the_limit_are_counted_and_said(taking, monkeypatch):
    for module in ("gathering", "counting_documents"):
        monkeypatch.setattr(f"pipelines.intake.readers.{module}.MAX_IMAGES", 2)
    taken = taking(printed(png(1), png(2), png(3)), "document")
    assert len(taken.rows["images"]) == 2
    assert any(note.startswith("1 images beyond the first 2") for note in taken.notes)
