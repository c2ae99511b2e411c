"""Where the records of a JSON file of an unknown sender may stand, and whether a built-in source reads it already."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.intake.readers import FileRefused, decoding, plain_json, strict_json

#: Documents of a file that are looked at, elements of each array in them, and names on the longest path.
_DOCUMENTS, _ELEMENTS, _DEEPEST = 20, 20, 4


def paths(path: Path) -> list[str]:
    """Return the paths to arrays of objects, the outermost first; the empty one where the documents are records themselves.

    Args:
        path: the plain file.

    Raises:
        FileRefused: it is broken, or a built-in source reads it.
    """
    encoding = decoding.encoding_of(path)
    is_lines = strict_json.is_lines(path, encoding)
    found: dict[str, None] = {}
    for document in islice(
        _lines(path, encoding) if is_lines else plain_json.documents(path, encoding), _DOCUMENTS
    ):
        _refuse_known(document)
        if is_lines or isinstance(document, list):
            found[""] = None
        found |= dict.fromkeys(_arrays(document, "", _DEEPEST))
    return list(found)


def _lines(path: Path, encoding: str) -> Iterator[Any]:
    decoder = plain_json.Decoder()
    for _, text in strict_json.lines(path, encoding):
        value, fault = plain_json.line_value(decoder, text)
        if fault is None:
            yield value


def _arrays(value: Any, way: str, deepest: int) -> Iterator[str]:
    """Yield the paths of arrays of objects inside a value that stands at the end of a way."""
    if isinstance(value, list):
        for element in value[:_ELEMENTS]:
            if isinstance(element, dict):
                yield from _arrays(element, f"{way}[]", deepest)
    elif isinstance(value, dict) and deepest:
        for name, inner in value.items():
            below = f"{way}.{name}".lstrip(".")
            if not name or set(name) & set(".[]"):
                continue
            if isinstance(inner, list) and any(isinstance(element, dict) for element in inner):
                yield below
            yield from _arrays(inner, below, deepest - 1)


def _refuse_known(document: Any) -> None:
    """Refuse what a built-in source reads: its mapping is written already."""
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, dict):
        return
    inside = [
        first,
        *(part[0] for part in map(first.get, ("releases", "records")) if isinstance(part, list) and part),
    ]
    if isinstance(first.get("releases"), list) or any(
        isinstance(part, dict) and "ocid" in part for part in inside
    ):
        raise read_already(
            "ocds", "records of the Open Contracting Data Standard", "公开采购数据标准（OCDS）记录"
        )
    if {"TITLE", "CONTEXT"} <= (first.get("DES") or first).keys():
        raise read_already("national", "records of the national exchange", "国家标准交换数据")


def read_already(source: str, what: str, what_zh: str) -> FileRefused:
    """Return the refusal of a file that needs no new mapping."""
    return FileRefused(
        "HAS_A_MAPPING",
        f"the file has {what}, which the built-in source {source!r} reads: put it into inbox/{source}/, or try it with"
        f" `bidwatch sources check {source} FILE`; copy that mapping for a country or time zone of your own",
        f"文件为{what_zh}，内置来源 {source} 可直接读取：放入 inbox/{source}/，或用 bidwatch sources check {source} 文件 试读；"
        "国家或时区不同时请复制该映射修改",
    )
