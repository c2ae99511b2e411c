"""The national exchange record, as XML or as JSON lines with the same content.

One record is ``<DES><TITLE>…</TITLE><CONTEXT>…</CONTEXT></DES>``: the document itself, or many of them
inside other elements. As JSON it is one line ``{"TITLE": {...}, "CONTEXT": {...}}``, which may stand
under ``"DES"``.

The section is TITLE/DATA_EN, the record tag. The columns are the fields of CONTEXT under their own
names, and those of TITLE as ``TITLE/DATA_KEY``, ``TITLE/DATA_TYPE`` and so on. A field that holds
elements (VALUATION_XML, MAKE_TOOL_XML) keeps them as XML text, as if they had come escaped.

``raw_row`` is the number of the DES in the file, or of the line. A record that is refused before
its tag is known belongs to section ``UNNAMED``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    RAW_PATH,
    RAW_ROW,
    FileRefused,
    FileRule,
    Reading,
    Unreadable,
    decoding,
    sniffing,
    strict_json,
)
from pipelines.intake.readers.spooling import Spool

UNNAMED = "(unnamed)"

#: The longest record tag of the national standard has about 30 characters.
_MAX_TAG_CHARS = 100

#: Elements open inside one another; VALUATION_XML has fewer than ten levels.
MAX_XML_DEPTH = 64

#: Elements in one record; a record has under a hundred fields, and a list of machines in one of them.
MAX_RECORD_ELEMENTS = 200_000

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARED_ENCODINGS = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "us-ascii": "utf-8",
}


class _Ambiguous(Exception):
    """A record that can be read in two ways or not at all: code, reason, Chinese reason, column."""

    def __init__(self, code: str, reason: str, reason_zh: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.reason_zh = reason_zh
        self.column = column


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a file of exchange records apart; see ``readers.read``."""
    spool = Spool(work)
    if sniffing.sniff(path) == "xml":
        encoding = xml_encoding(path)
        _read_xml(path, encoding, spool)
    else:
        encoding = decoding.encoding_of(path)
        _read_lines(path, encoding, spool)
    return Reading(spool.sections(), spool.unreadable, [f"encoding {encoding}"])


def xml_encoding(path: Path) -> str:
    """Return the encoding that an XML file declares, proven on all of it.

    GBK and GB2312 are read as GB18030, which holds both.

    Raises:
        FileRefused: it declares another one, or the bytes are not what it declares.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    if head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or not declared:
        return decoding.encoding_of(path)
    name = declared[1].decode().lower()
    if name not in _DECLARED_ENCODINGS:
        raise FileRefused(
            "ENCODING",
            f"the XML declares the encoding {name!r}; export it as UTF-8 or GB18030",
            f"XML 声明的编码为 {name}；请以 UTF-8 或 GB18030 导出",
        )
    return decoding.checked(path, _DECLARED_ENCODINGS[name])


def _read_xml(path: Path, encoding: str, spool: Spool) -> None:
    number = 0
    with path.open(encoding=encoding) as file:
        for number, des in enumerate(_records(file), 1):
            key = _only_text(des, "DATA_KEY")
            raw_path = f"record {number} (DATA_KEY {key})" if key else f"record {number}"
            section = tag_of(_only_text(des, "DATA_EN"))
            try:
                spool.add(section, number, raw_path, _xml_row(des))
            except _Ambiguous as problem:
                text = tostring(des, encoding="unicode")
                spool.refuse(_unreadable(section, number, raw_path, problem, text))
    if not number:
        raise FileRefused(
            "NO_RECORDS",
            "there is no DES element in the XML; deliver the exchange file itself",
            "XML 中没有 DES 元素；请提供数据交换文件本身",
        )


def _records(file: TextIO) -> Iterator[Element]:
    """Yield each complete DES element, and empty it afterwards so that memory stays bounded."""
    open_elements: list[Element] = []
    in_record = elements = 0
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                open_elements.append(element)
                elements += 1
                in_record += element.tag == "DES"
                if len(open_elements) > MAX_XML_DEPTH or elements > MAX_RECORD_ELEMENTS:
                    raise FileRefused(
                        "XML_TOO_LARGE",
                        f"elements nest deeper than {MAX_XML_DEPTH} or one record has more than "
                        f"{MAX_RECORD_ELEMENTS:,} of them; export it again",
                        f"XML 嵌套超过 {MAX_XML_DEPTH} 层，或单条记录超过 {MAX_RECORD_ELEMENTS:,} 个元素",
                    )
                continue
            open_elements.pop()
            if element.tag != "DES":
                continue
            in_record -= 1
            if not in_record:
                yield element
                elements = 0
                if open_elements:
                    open_elements[-1].clear()
    except ParseError as error:
        line, column = error.position
        raise FileRefused(
            "BROKEN_XML",
            f"line {line}, column {column + 1}: the XML is not well-formed ({error}); it is damaged or cut, "
            "export it again",
            f"第 {line} 行第 {column + 1} 列：XML 格式错误；文件已损坏或被截断，请重新导出",
        ) from None
    except DefusedXmlException:
        raise FileRefused(
            "DOCTYPE",
            "the XML has a DOCTYPE or entity declaration, which can be used to attack the reader; "
            "export it without",
            "XML 含有 DOCTYPE 或实体声明，存在安全风险；请去除后重新导出",
        ) from None


def _only_text(des: Element, name: str) -> str:
    """Return the text of TITLE's field if exactly one can be meant, else nothing."""
    found = [field for title in des.findall("TITLE") for field in title.findall(name)]
    return (found[0].text or "").strip() if len(found) == 1 else ""


def _xml_row(des: Element) -> dict[str, str | None]:
    parts = [child.tag for child in des]
    for part in ("TITLE", "CONTEXT"):
        if parts.count(part) != 1:
            raise _shape(part, parts.count(part))
    if tag_of(_only_text(des, "DATA_EN")) == UNNAMED:
        raise _no_tag()
    row: dict[str, str | None] = {}
    for child in des:
        if child.tag not in ("TITLE", "CONTEXT"):
            raise _stranger(child.tag)
        if (child.text or "").strip() or any((field.tail or "").strip() for field in child):
            raise _Ambiguous(
                "STRAY_TEXT",
                f"text stands between the fields of {child.tag}",
                f"{child.tag} 的字段之间有多余文字",
            )
        prefix = "TITLE/" if child.tag == "TITLE" else ""
        for field in child:
            _put(row, prefix + field.tag, _xml_text(field))
    return row


def _xml_text(field: Element) -> str:
    text = field.text or ""
    if len(field):
        return text.strip() + "".join(tostring(child, encoding="unicode") for child in field).strip()
    return text


def _read_lines(path: Path, encoding: str, spool: Spool) -> None:
    decoder = strict_json.Decoder()
    for number, text in strict_json.lines(path, encoding):
        raw_path = f"line {number}"
        section = UNNAMED
        try:
            if text is None:
                raise _Ambiguous(
                    "LINE_TOO_LONG",
                    f"the line is longer than {strict_json.MAX_RECORD_CHARS:,} characters",
                    f"该行超过 {strict_json.MAX_RECORD_CHARS:,} 个字符",
                )
            record = _decoded(decoder, text)
            section = record_tag(record)
            if fault := decoder.fault():
                raise _Ambiguous(fault.code, fault.reason, fault.reason_zh)
            spool.add(section, number, raw_path, _json_row(_unwrapped(record)))
        except _Ambiguous as problem:
            spool.refuse(_unreadable(section, number, raw_path, problem, text or ""))


def _decoded(decoder: strict_json.Decoder, text: str) -> object:
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        raise _Ambiguous("NOT_JSON", f"the line is not JSON: {error}", "该行不是合法的 JSON") from None
    if end != len(text):
        raise _Ambiguous("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")
    return value


def _unwrapped(record: object) -> object:
    return record["DES"] if isinstance(record, dict) and list(record) == ["DES"] else record


def record_tag(record: object) -> str:
    """Return the section that a decoded JSON record names, or ``UNNAMED``."""
    inner = _unwrapped(record)
    title = inner.get("TITLE") if isinstance(inner, dict) else None
    tag = title.get("DATA_EN") if isinstance(title, dict) else None
    return tag_of(tag) if isinstance(tag, str) else UNNAMED


def tag_of(text: str) -> str:
    """Return a record tag without blanks around it, or ``UNNAMED`` for what can be none."""
    tag = text.strip()
    return tag if tag and len(tag) <= _MAX_TAG_CHARS and tag.isprintable() else UNNAMED


def _json_row(record: object) -> dict[str, str | None]:
    if not isinstance(record, dict):
        raise _Ambiguous("NOT_AN_OBJECT", "the line is not a JSON object", "该行不是 JSON 对象")
    row: dict[str, str | None] = {}
    for part in ("TITLE", "CONTEXT"):
        if not isinstance(record.get(part), dict):
            raise _shape(part, int(part in record))
    if record_tag(record) == UNNAMED:
        raise _no_tag()
    for part, fields in record.items():
        if part not in ("TITLE", "CONTEXT"):
            raise _stranger(part)
        prefix = "TITLE/" if part == "TITLE" else ""
        for name, value in fields.items():
            _put(row, prefix + name, strict_json.text_of(value))
    return row


def _put(row: dict[str, str | None], name: str, value: str | None) -> None:
    if name in row:
        raise _Ambiguous("DUPLICATE_FIELD", f"the field {name} stands twice", f"字段 {name} 重复", name)
    if name in (RAW_ROW, RAW_PATH):
        raise _Ambiguous(
            "RESERVED_COLUMN",
            f"the field name {name} is used by bidwatch itself",
            f"字段名 {name} 为系统保留",
            name,
        )
    row[name] = value


def _shape(part: str, times: int) -> _Ambiguous:
    if times > 1:
        return _Ambiguous("DUPLICATE_FIELD", f"{part} stands {times} times", f"{part} 出现 {times} 次", part)
    return _Ambiguous(
        "PART_MISSING", f"{part} is missing or holds no fields", f"缺少 {part} 或其中没有字段", part
    )


def _no_tag() -> _Ambiguous:
    return _Ambiguous(
        "NO_RECORD_TAG",
        "TITLE/DATA_EN, which says what the record is, is missing, empty, too long or stands twice",
        "TITLE/DATA_EN（记录类型）缺失、为空、过长或重复",
        "TITLE/DATA_EN",
    )


def _stranger(name: str) -> _Ambiguous:
    return _Ambiguous(
        "UNKNOWN_PART",
        f"{name[:100]!r} stands beside TITLE and CONTEXT, where nothing else may",
        f"TITLE 与 CONTEXT 之外出现“{name[:100]}”",
        name[:100],
    )


def _unreadable(section: str, number: int, raw_path: str, problem: _Ambiguous, text: str) -> Unreadable:
    return Unreadable(
        section,
        number,
        raw_path,
        problem.code,
        problem.reason,
        problem.reason_zh,
        text[:MAX_RAW_TEXT],
        problem.column,
    )
