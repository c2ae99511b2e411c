"""How many records a file holds, counted a second time and in another way than the readers do.

For every file and section ``count_records`` must equal the rows a reader yields plus its unreadable
records. It counts what stands in the file before anybody builds rows from it:

==========  ===================================  ==============================================
format      the reader                           this module
==========  ===================================  ==============================================
delimited   Arrow, checked against field counts  non-blank records of the standard library's csv
workbook    calamine                             filled rows in the sheet's XML; of an xls, by xlrd
exchange    element tree; strict JSON            expat's DES elements; non-blank lines
ocds        merges and builds rows               merges anew, multiplies lengths; elements also by ijson
parquet     the pages                            the footer
document    see ``counting_documents``
json        the values, step by step             ijson's events; in lines, the lengths of arrays
==========  ===================================  ==============================================

What both sides share, so that they mean the same thing by a record: the encoding and the separator of
text, the place of a workbook's header, which of its rows are remarks, which JSON is refused, and which releases
are one process.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import tempfile
from collections import Counter
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import ijson
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.intake.readers import (
    FileRefused,
    FileRule,
    counting_documents,
    counting_json,
    counting_sheets,
    decoding,
    delimited,
    exchange,
    layout,
    ocds_releases,
    section_name,
    sniffing,
    strict_json,
)

#: ijson crashes on an integer that Python will not convert (4,300 digits).
_CRASHING_NUMBER = re.compile(rb"[0-9]{4000}")

#: Prefixes of the elements of a document, by the event with which it begins.
_ARRAYS_UNDER = {"start_array": {"item"}, "start_map": {"releases.item", "records.item"}}

#: Events of an element other than its beginning.
_INSIDE = ("map_key", "end_map", "end_array")


def count_records(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    """Count the physical records of each section that has any.

    Args:
        path, rule, file_name, work: as for ``readers.read``.

    Raises:
        FileRefused: the file cannot be counted.
    """
    counters = {
        "delimited": _delimited,
        "workbook": _workbook,
        "exchange": _exchange,
        "ocds": _ocds,
        "parquet": _parquet,
        "document": counting_documents.count,
        "json": counting_json.count,
    }
    with tempfile.TemporaryDirectory(dir=work) as private:
        plain = sniffing.admitted(path, rule, Path(private))
        counts = counters[rule.format](plain, rule, file_name, Path(private))
    return {section: int(count) for section, count in counts.items() if count}


def _delimited(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    encoding = decoding.stated_or_found(path, rule)
    csv.field_size_limit(delimited.MAX_FIELD_CHARS)
    delimiter = delimited.delimiter_of(path, encoding, rule)
    section = section_name(rule, file_name)
    try:
        if delimited.is_kept_by_hand(path, encoding, delimiter, rule):
            rows = delimited.sheet_rows(path, encoding, delimiter, rule)
            return {section: sum(len(block.records) for block in layout.lay_out(rows, rule, "line").blocks)}
        with path.open(encoding=encoding, newline="") as file:
            rows_of = islice(csv.reader(file, delimiter=delimiter, strict=True), rule.skip, None)
            return {section: sum(map(bool, rows_of)) - (not rule.columns)}
    except csv.Error as error:
        raise FileRefused(
            "BROKEN_QUOTES", f"the records cannot be counted: {error}", f"无法统计记录数：{error}"
        ) from None


def _parquet(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    try:
        return {section_name(rule, file_name): pq.read_metadata(path).num_rows}
    except (pa.ArrowException, OSError) as error:
        raise FileRefused(
            "DAMAGED_PARQUET", f"no readable footer: {error}", f"文件尾无法读取：{error}"
        ) from None


def _exchange(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    if sniffing.sniff(path) == "xml":
        return _exchange_xml(path)
    lines = strict_json.lines(path, decoding.encoding_of(path))
    return Counter(_tag(text or "") for _, text in lines)


def _tag(line: str) -> str:
    try:
        return exchange.record_tag(json.loads(line, parse_int=str, parse_float=str, parse_constant=str))
    except (ValueError, RecursionError):
        return exchange.UNNAMED


def _exchange_xml(path: Path) -> dict[str, int]:
    """Count outermost DES elements under the only DATA_EN in their TITLE."""
    counts: Counter[str] = Counter()
    inside: list[str] = []  # names from the outermost DES down
    tags: list[str] = []  # texts of this record's DES/TITLE/DATA_EN

    def start(name: str, _: dict[str, str]) -> None:
        if inside or name == "DES":
            inside.append(name)
            if inside == ["DES", "TITLE", "DATA_EN"]:
                tags.append("")

    def text(characters: str) -> None:
        if inside == ["DES", "TITLE", "DATA_EN"]:
            tags[-1] += characters

    def end(_: str) -> None:
        if inside:
            inside.pop()
            if not inside:
                counts[exchange.tag_of(tags[0]) if len(tags) == 1 else exchange.UNNAMED] += 1
                tags.clear()

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with path.open(encoding=exchange.xml_encoding(path)) as file:
        try:
            while characters := file.read(2**16):
                parser.Parse(characters, False)
            parser.Parse("", True)
        except expat.ExpatError as error:
            raise FileRefused(
                "BROKEN_XML", f"the XML is not well-formed: {error}", f"XML 格式错误：{error}"
            ) from None
    return counts


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("DOCTYPE", "the XML has a DOCTYPE declaration", "XML 含有 DOCTYPE 声明")


def _ocds(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    encoding = decoding.encoding_of(path)
    counts: Counter[str] = Counter()
    found_in_file = ocds_releases.Releases.of(path, encoding, work)
    for _, found, _ in found_in_file.processes():
        if isinstance(found, strict_json.Fault):
            counts["tenders"] += 1
        else:
            merged = found.parts[0] if len(found.parts) == 1 else reduce(_put_over, found.parts, {})
            counts.update(_release_rows(merged))
    if not strict_json.is_lines(path, encoding) and found_in_file.elements:
        elements = _ijson_elements(decoding.as_utf8(path, encoding, work))
        if elements != found_in_file.elements:
            raise FileRefused(
                "PARSERS_DISAGREE",
                f"two parsers find {found_in_file.elements} and {elements} releases or records; export the file again",
                f"两种解析方式分别得到 {found_in_file.elements} 条和 {elements} 条记录；请重新导出",
            )
    return counts


def _put_over(old: Any, new: Any) -> Any:
    """Put a later release over an earlier one: as the merging library does, by other code."""
    if isinstance(old, dict) and isinstance(new, dict):
        merged = old | {name: _put_over(old.get(name, {}), value) for name, value in new.items()}
        return {name: value for name, value in merged.items() if value not in (None, {}, [])}
    if new in ({}, []):
        return old
    if isinstance(new, dict):
        return _put_over({}, new)
    if not isinstance(new, list) or not all(isinstance(one, dict) for one in new):
        return new
    by_id = {one.get("id", at): one for at, one in enumerate(old or [])}
    for at, one in enumerate(new, len(by_id)):
        by_id[one.get("id", at)] = _put_over(by_id.get(one.get("id", at), {}), one)
    return [one for one in by_id.values() if one]


def _release_rows(release: dict[str, Any]) -> dict[str, int]:
    """Multiply out the lengths of a release's lists, as the table in ``ocds`` says."""
    tender = release.get("tender")
    lots = tender.get("lots") if isinstance(tender, dict) else None
    details = release["bids"].get("details") if isinstance(release.get("bids"), dict) else None
    awards = _listed(release.get("awards"))
    rows_of_award = {
        str(award["id"]): _length(award, "suppliers") * _length(award, "relatedLots")
        for award in awards
        if isinstance(award, dict) and award.get("id")
    }
    members = [
        (_length(bid, "tenderers"), _length(bid, "relatedLots"))
        for bid in _listed(details)
        if isinstance(bid, dict)
    ]
    return {
        "tenders": tender is not None,
        "lots": len(_listed(lots)) or isinstance(tender, dict),
        "bids": sum(_length(bid, "relatedLots") for bid in _listed(details)),
        "tenderers": sum(several * lots for several, lots in members if several > 1),
        "awards": sum(_length(one, "suppliers") * _length(one, "relatedLots") for one in awards),
        "contracts": sum(rows_of_award.get(_award_id(one), 1) for one in _listed(release.get("contracts"))),
        "parties": len(_listed(release.get("parties"))),
    }


def _listed(value: Any) -> list[Any]:
    """Return a list as it is; anything else that is there at all counts as one (broken) element."""
    if isinstance(value, list):
        return value
    return [value] if value else []


def _length(element: Any, name: str) -> int:
    """Return how many values a field holds, at least one."""
    return max(1, len(_listed(element.get(name)))) if isinstance(element, dict) else 1


def _award_id(contract: Any) -> str:
    return str(contract.get("awardID")) if isinstance(contract, dict) else ""


def _ijson_elements(path: Path) -> int:
    """Count the elements of the top-level arrays that hold releases or records."""
    before = b""
    with path.open("rb") as file:
        file.seek(len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0)
        begin = file.tell()
        while chunk := file.read(2**22):
            if _CRASHING_NUMBER.search(before + chunk):
                raise FileRefused("NUMBER_TOO_LONG", "thousands of digits in a row", "连续数千位数字")
            before = chunk[-4000:]
        file.seek(begin)
        try:
            count, arrays = 0, _ARRAYS_UNDER["start_map"]
            for prefix, event, _ in ijson.parse(file, multiple_values=True):
                if prefix == "":
                    arrays = _ARRAYS_UNDER.get(event, arrays)
                count += prefix in arrays and event not in _INSIDE
            return count
        except (ijson.JSONError, UnicodeDecodeError, ArithmeticError) as error:
            raise FileRefused(
                "BROKEN_JSON", f"the document is not JSON: {error}", f"不是合法的 JSON：{error}"
            ) from None


def _workbook(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    count = 0
    for name, rows in counting_sheets.visible_sheets(path, work):
        blocks = layout.lay_out(rows, rule, f"sheet {name}, row").blocks
        count += sum(len(block.records) for block in blocks)
    return {section_name(rule, file_name): count}
