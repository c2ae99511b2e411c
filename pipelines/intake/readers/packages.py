"""Office files (xlsx, docx, ods) are zip archives of XML: checked before any part of them is used.

The directory is checked first, then every XML part is unpacked under a byte limit, searched for a DOCTYPE
and written into a plain archive of our own, in which all other parts (pictures, macros) are empty. Only
that copy is opened afterwards, so that what was checked is what is read.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from pipelines.intake.readers import FileRefused


@dataclass(frozen=True)
class Limits:
    """How large the parts of a package may be.

    Attributes:
        xml_bytes: of all XML parts, unpacked.
        all_bytes: of all parts, unpacked.
        members: number of parts.
    """

    xml_bytes: int
    all_bytes: int
    members: int


#: A year of a county's openings is about a tenth of this; a workbook with a hundred sheets has a few hundred parts.
WORKBOOK = Limits(xml_bytes=100 * 2**20, all_bytes=100 * 2**20, members=1_000)

#: A bid brings hundreds of scanned certificates; pictures are hashed piece by piece.
DOCUMENT = Limits(xml_bytes=100 * 2**20, all_bytes=2 * 2**30, members=5_000)

#: Real Office files shrink 5 to 20 times; a bomb shrinks 1,000 times.
MAX_RATIO = 100

#: Below this size a high ratio is harmless (empty formatted rows).
_RATIO_FREE_BYTES = 2**20

#: The member that says of an OpenDocument file what it is.
MIMETYPE = "mimetype"

_ENCRYPTED = 0x1

#: What ``zipfile`` raises on archives that are cut, altered or oddly made.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


def checked_copy(path: Path, work: Path, limits: Limits) -> Path:
    """Return a plain copy of the package: its XML parts as they are, all others empty.

    Raises:
        FileRefused: a dangerous or damaged archive, or a DOCTYPE in any part.
    """
    copy = work / "checked.zip"
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise damaged(error) from None
    with archive, zipfile.ZipFile(copy, "w") as plain:
        members = archive.infolist()
        _check_directory(members, path.stat().st_size, limits)
        for member in members:
            data = b""
            if is_xml(member.filename) or member.filename == MIMETYPE:
                try:
                    data = archive.read(member)
                except DAMAGE as error:
                    raise damaged(error) from None
            if is_xml(member.filename):
                _refuse_doctype(member.filename, data)
            plain.writestr(member.filename, data)
    return copy


def is_xml(name: str) -> bool:
    """Say whether a part is kept in the checked copy."""
    return name.endswith((".xml", ".rels"))


def local(tag: str) -> str:
    """Return an XML name without its namespace or prefix."""
    return tag.rpartition("}")[2].rpartition(":")[2]


def _check_directory(members: list[zipfile.ZipInfo], packed_bytes: int, limits: Limits) -> None:
    names = [member.filename.lower() for member in members]
    expanded = sum(member.file_size for member in members)
    xml = sum(member.file_size for member in members if is_xml(member.filename))
    problems = (
        (
            len(members) > limits.members,
            f"more than {limits.members:,} members",
            f"成员超过 {limits.members:,} 个",
        ),
        (
            xml > limits.xml_bytes,
            f"more than {limits.xml_bytes:,} bytes of XML",
            f"XML 解压后超过 {limits.xml_bytes:,} 字节",
        ),
        (
            expanded > limits.all_bytes,
            f"more than {limits.all_bytes:,} bytes expanded",
            f"解压后超过 {limits.all_bytes:,} 字节",
        ),
        (
            expanded > max(MAX_RATIO * packed_bytes, _RATIO_FREE_BYTES),
            f"grows more than {MAX_RATIO} times",
            f"解压后超过自身的 {MAX_RATIO} 倍",
        ),
        (len(set(names)) != len(names), "the same member name twice", "成员名重复"),
        (any(map(_is_outside, names)), "a member name that leads outside", "成员名指向外部路径"),
        (any(member.flag_bits & _ENCRYPTED for member in members), "an encrypted member", "成员已加密"),
    )
    for is_found, what, what_zh in problems:
        if is_found:
            raise FileRefused(
                "DANGEROUS_ARCHIVE",
                f"the file's archive has {what}; save its content into a new file and deliver that",
                f"文件压缩结构异常（{what_zh}）；请将内容另存为新文件后提供",
            )


def _is_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def _refuse_doctype(member: str, data: bytes) -> None:
    def doctype(*_: object) -> NoReturn:
        raise FileRefused(
            "DOCTYPE",
            f"{member} has a DOCTYPE declaration, which can attack the reader; save the file again",
            f"{member} 含有 DOCTYPE 声明，存在安全风险；请重新保存文件",
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise broken(member, error) from None


def broken(member: str, error: Exception) -> FileRefused:
    """Return the refusal of a part that is no XML."""
    return FileRefused(
        "BROKEN_XML",
        f"{member} is not well-formed ({error}); save the file again and deliver it",
        f"{member} 格式错误；请重新保存文件后提供",
    )


def damaged(error: Exception) -> FileRefused:
    """Return the refusal of an archive that is cut or altered."""
    return FileRefused(
        "DAMAGED_ARCHIVE",
        f"the file is damaged or cut ({error}); save it again and deliver it",
        f"文件已损坏或被截断（{error}）；请重新保存后提供",
    )
