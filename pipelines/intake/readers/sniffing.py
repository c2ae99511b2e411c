"""What a file is, by its content and never by its name, and what is inside a compressed one."""

from __future__ import annotations

import gzip
import mmap
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from pipelines.intake.readers import FileRefused, FileRule
from pipelines.intake.readers.packages import MIMETYPE

#: A night's delivery of a province stays far below this; more would fill the disk.
MAX_EXPANDED_BYTES = 2 * 2**30

#: Procurement tables shrink 5 to 30 times; a bomb shrinks 1,000 times and more.
MAX_RATIO = 200

#: Below this size a high ratio is harmless (a small table of repeated values).
_RATIO_FREE_BYTES = 2**20

_CHUNK_BYTES = 2**20
_HEAD_BYTES = 2**16

_WEB_PAGE = re.compile(r"<(!doctype )?html[\s>]")

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"

#: Which content a rule's format accepts.
_CONTENT = {
    "delimited": ("delimited",),
    "workbook": ("workbook", "xls", "ods"),
    "exchange": ("xml", "json"),
    "ocds": ("json",),
    "parquet": ("parquet",),
    "json": ("json",),
    "document": ("docx", "pdf", "workbook", "delimited", "xml", "json"),
}

#: Magic bytes (offset, bytes) of what is often sent under a wrong name: code, English, Chinese.
_FOREIGN = (
    (0, b"SQLite format 3\0", "DATABASE", "an SQLite database", "SQLite 数据库"),
    (8, b"DUCK", "DATABASE", "a DuckDB database", "DuckDB 数据库"),
    (0, b"7z\xbc\xaf\x27\x1c", "ARCHIVE", "a 7-Zip archive", "7-Zip 压缩包"),
    (0, b"Rar!\x1a\x07", "ARCHIVE", "a RAR archive", "RAR 压缩包"),
    (0, b"BZh", "ARCHIVE", "a bzip2 archive", "bzip2 压缩包"),
    (0, b"\xfd7zXZ\0", "ARCHIVE", "an xz archive", "xz 压缩包"),
    (257, b"ustar", "ARCHIVE", "a tar archive", "tar 归档"),
    (0, _GZIP, "NESTED_ARCHIVE", "a gzip file inside a compressed file", "压缩文件中的 gzip 文件"),
    (0, _ZSTD, "NESTED_ARCHIVE", "a zstd file inside a compressed file", "压缩文件中的 zstd 文件"),
)
_REMEDY = {
    "DATABASE": ("export the table as CSV or Parquet", "请将数据表导出为 CSV 或 Parquet"),
    "ARCHIVE": (
        "deliver the files themselves, or one file in gzip or zstd",
        "请直接提供文件，或单个文件的 gzip、zstd 压缩",
    ),
    "NESTED_ARCHIVE": ("compress it once only", "请只压缩一次"),
}


_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: Directory entries of an old Office container: what a workbook is called, and what other programs call theirs.
_STREAM = re.compile(
    b"|".join(
        (name + "\0").encode("utf-16-le")
        for name in ("Workbook", "Book", "WordDocument", "PowerPoint Document")
    )
)
_ENTRY_BYTES = 128
_WORKBOOKS = {("Workbook\0").encode("utf-16-le"), ("Book\0").encode("utf-16-le")}

_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"

#: The stream of an old Office container in which a new Office file lies under a password.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def sniff(path: Path) -> str:
    """Return what the file is.

    That is ``delimited``, ``workbook`` (xlsx), ``xls``, ``ods``, ``docx``, ``pdf``, ``xml``, ``json`` or ``parquet``.

    Raises:
        FileRefused: empty, or something that no reader takes.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(-min(4, path.stat().st_size), 2)
        tail = file.read()
    if not head.strip():
        raise FileRefused("EMPTY_FILE", "the file is empty; deliver it again", "文件为空；请重新提供")
    if head.startswith(b"PAR1"):
        if tail == b"PAR1":
            return "parquet"
        raise FileRefused(
            "CUT_FILE",
            "the Parquet file has no end: it was cut in transfer; deliver it again",
            "Parquet 文件不完整，传输中被截断；请重新提供",
        )
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _sniff_zip(path)
    if head.startswith(b"%PDF"):
        return "pdf"
    if head.startswith(_OLD_OFFICE):
        return _sniff_old_office(path)
    for at, magic, code, what, what_zh in _FOREIGN:
        if head[at:].startswith(magic):
            remedy, remedy_zh = _REMEDY[code]
            raise FileRefused(code, f"the file is {what}; {remedy}", f"文件是{what_zh}；{remedy_zh}")
    return _sniff_text(head)


def unpacked(path: Path, work: Path) -> Path:
    """Return the file itself, or what a single gzip or zstd file holds, written into ``work``.

    Raises:
        FileRefused: damaged, or larger than ``MAX_EXPANDED_BYTES`` or ``MAX_RATIO`` allow.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    plain = work / "unpacked"
    if magic.startswith(_GZIP):
        with gzip.open(path) as stream:
            _copy(stream, plain, path.stat().st_size)
    elif magic == _ZSTD:
        with pa.OSFile(str(path)) as packed, pa.CompressedInputStream(packed, "zstd") as stream:
            _copy(stream, plain, path.stat().st_size)
    else:
        return path
    return plain


def admitted(path: Path, rule: FileRule, work: Path) -> Path:
    """Return the plain file if its content is what the mapping says.

    Raises:
        FileRefused: ``FORMAT_MISMATCH``, and what ``unpacked`` and ``sniff`` raise.
    """
    plain = unpacked(path, work)
    content = sniff(plain)
    if content == "pdf" and content not in _CONTENT[rule.format]:
        raise FileRefused(
            "PDF",
            "the file is a PDF document; deliver the table itself as xlsx or CSV",
            "文件是 PDF 文档；请提供 xlsx 或 CSV 格式的原始表格",
        )
    if content == "xls" and content not in _CONTENT[rule.format]:
        raise _old_office()
    if content == "ods" and content not in _CONTENT[rule.format]:
        raise _other_office()
    if content not in _CONTENT[rule.format]:
        expected = " or ".join(_CONTENT[rule.format])
        raise FileRefused(
            "FORMAT_MISMATCH",
            f"the content is {content}, and the mapping expects {expected}; "
            "deliver the right file or correct the mapping",
            f"文件内容为 {content}，而映射要求 {expected}；请提供正确的文件或修改映射",
        )
    return plain


def _copy(stream: _Stream | IO[bytes], target: Path, packed_bytes: int) -> None:
    expanded = 0
    with target.open("wb") as file:
        while chunk := _next_chunk(stream):
            expanded += len(chunk)
            if expanded > MAX_EXPANDED_BYTES or (
                expanded > _RATIO_FREE_BYTES and expanded > MAX_RATIO * packed_bytes
            ):
                raise FileRefused(
                    "EXPANDS_TOO_FAR",
                    f"the compressed file grows beyond {MAX_RATIO} times its size or "
                    f"{MAX_EXPANDED_BYTES:,} bytes; deliver it uncompressed or in parts",
                    f"解压后超过自身的 {MAX_RATIO} 倍或 {MAX_EXPANDED_BYTES:,} 字节；请不压缩或分批提供",
                )
            file.write(chunk)


def _next_chunk(stream: _Stream | IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise FileRefused(
            "DAMAGED_ARCHIVE",
            f"the compressed file is damaged or cut ({error}); deliver it again",
            f"压缩文件已损坏或被截断（{error}）；请重新提供",
        ) from None


def _sniff_old_office(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_ENCRYPTED_PACKAGE) >= 0:
            raise _encrypted()
        streams = {found[0] for found in _STREAM.finditer(content) if not found.start() % _ENTRY_BYTES}
    if streams and streams <= _WORKBOOKS:
        return "xls"
    raise _old_office()


def _encrypted() -> FileRefused:
    return FileRefused(
        "ENCRYPTED",
        "the Office file is protected with a password; take the password off and deliver it again",
        "Office 文件已加密；请取消密码后重新提供",
    )


def _old_office() -> FileRefused:
    return FileRefused(
        "OLD_OFFICE",
        "the file is an old .doc or .xls file, perhaps cut in transfer; save it as .docx or .xlsx",
        "文件是旧版 .doc 或 .xls 格式，或传输中被截断；请另存为 .docx 或 .xlsx",
    )


def _other_office() -> FileRefused:
    return FileRefused(
        "OTHER_OFFICE",
        "the file is an xlsb or OpenDocument file; save it as .xlsx or .docx",
        "文件是 xlsb 或 OpenDocument 格式；请另存为 .xlsx 或 .docx",
    )


def _sniff_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            kind = _beginning(archive, MIMETYPE) if MIMETYPE in members else b""
            manifest = "META-INF/manifest.xml"
            has_password = manifest in members and b"encryption-data" in _beginning(archive, manifest)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise FileRefused(
            "DAMAGED_ARCHIVE",
            f"the file begins like a workbook or zip archive and is damaged ({error}); deliver it again",
            f"文件开头为工作簿或 zip 压缩包，但已损坏或被截断（{error}）；请重新提供",
        ) from None
    if "[Content_Types].xml" in members and "xl/workbook.xml" in members:
        return "workbook"
    if "[Content_Types].xml" in members and any(name.startswith("word/") for name in members):
        return "docx"
    if "content.xml" in members and has_password:
        raise _encrypted()
    if "content.xml" in members and kind == _SPREADSHEET:
        return "ods"
    if "xl/workbook.bin" in members or "content.xml" in members:
        raise _other_office()
    remedy, remedy_zh = _REMEDY["ARCHIVE"]
    raise FileRefused("ARCHIVE", f"the file is a zip archive; {remedy}", f"文件是 zip 压缩包；{remedy_zh}")


def _beginning(archive: zipfile.ZipFile, member: str) -> bytes:
    with archive.open(member) as file:
        return file.read(_HEAD_BYTES)


def _sniff_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # The last two bytes may be half of a surrogate pair that the next block completes.
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    elif b"\0" in head:
        raise FileRefused(
            "BINARY",
            "the file is binary and of no known kind; deliver CSV, xlsx, XML, JSON or Parquet, "
            "and documents as docx, PDF, xlsx or text",
            "文件是未知的二进制格式；请提供 CSV、xlsx、XML、JSON 或 Parquet，文档请提供 docx、PDF、xlsx 或文本",
        )
    else:
        # Only the first visible character matters here; ``decoding`` judges the encoding.
        text = head.decode("utf-8-sig", errors="replace")
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if _WEB_PAGE.match(start):
        raise FileRefused(
            "WEB_PAGE",
            "the file is a web page: a login or error page, or a table that a site calls .xls; export the data again, or open it"
            " in a spreadsheet program and save it as .xlsx",
            "文件是网页：可能是登录页、错误页，或以 .xls 为名导出的网页表格；请重新导出，或用 WPS/Excel 打开后另存为 .xlsx",
        )
    if start.startswith("<"):
        return "xml"
    return "json" if start.startswith(("{", "[")) else "delimited"
