"""Which encoding a text file has, proven by decoding all of it strictly.

The ladder is fixed: byte order mark, else UTF-8, else GB18030. ``gbk`` is never tried: it fails on
rare names (𠮷, 䶮) that GB18030, its superset, holds.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from pipelines.intake.readers import FileRefused, FileRule

_CHUNK_BYTES = 4 * 2**20

#: So many UTF-8 continuation bytes in a row of valid characters do not come about by chance in
#: GB18030 text (about one character in eight happens to look like UTF-8): the file is damaged UTF-8.
_SURELY_UTF8_BYTES = 32

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def stated_or_found(path: Path, rule: FileRule) -> str:
    """Return the encoding that the mapping states, proven on all of the file, or the one that is found.

    Text of another country in an encoding of its own looks like GB18030 (Não is N鉶): there, it has to be stated.

    Raises:
        FileRefused: as ``encoding_of`` does, or nobody says which encoding it is.
    """
    return (
        checked(path, rule.encoding) if rule.encoding else encoding_of(path, may_be_chinese=rule.is_chinese)
    )


def encoding_of(path: Path, *, may_be_chinese: bool = True) -> str:
    """Return ``utf-8``, ``utf-8-sig``, ``utf-16`` or, where it may be Chinese, ``gb18030``.

    Raises:
        FileRefused: the bytes are none of these, are cut inside a character, or hold NUL bytes.
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            _check(path, encoding)
            return encoding
    try:
        _check(path, "utf-8")
    except _Undecodable as broken:
        if broken.continuation_bytes >= _SURELY_UTF8_BYTES or (broken.is_cut and broken.continuation_bytes):
            raise broken.refusal() from None
        if not may_be_chinese:
            raise FileRefused(
                "ENCODING",
                "the text is not UTF-8; state its `encoding` in [[file]] of the mapping, such as cp1252, or export it as"
                " UTF-8",
                "文本不是 UTF-8；请在映射的 [[file]] 中写明 encoding（如 cp1252），或以 UTF-8 导出",
            ) from None
        try:
            _check(path, "gb18030")
        except _Undecodable as hopeless:
            raise hopeless.refusal() from None
        return "gb18030"
    return "utf-8"


def checked(path: Path, encoding: str) -> str:
    """Return ``encoding`` after decoding the whole file with it, for files that declare theirs.

    Raises:
        FileRefused: the bytes are not what the file says.
    """
    try:
        _check(path, encoding)
    except _Undecodable as broken:
        raise broken.refusal() from None
    return encoding


def as_utf8(path: Path, encoding: str, work: Path) -> Path:
    """Return a UTF-8 file with the same text: ``path`` itself where it is one already."""
    if encoding in ("utf-8", "utf-8-sig"):
        return path
    decoded = work / "decoded"
    with decoded.open("wb") as file:
        for text in _texts(path, encoding):
            file.write(text.encode())
    return decoded


class _Undecodable(Exception):
    def __init__(self, encoding: str, position: int, continuation_bytes: int, is_cut: bool) -> None:
        super().__init__(encoding)
        self.encoding = encoding
        self.position = position
        self.continuation_bytes = continuation_bytes
        self.is_cut = is_cut

    def refusal(self) -> FileRefused:
        what, what_zh = (
            ("is cut inside a character", "在字符中间被截断")
            if self.is_cut
            else (
                "cannot be decoded",
                "无法解码",
            )
        )
        return FileRefused(
            "ENCODING",
            f"the text {what} at byte {self.position} (tried as {self.encoding}); "
            "export it again as UTF-8 or GB18030",
            f"文本在第 {self.position} 字节处{what_zh}（{self.encoding}）；请以 UTF-8 或 GB18030 导出",
        )


def _check(path: Path, encoding: str) -> None:
    """Decode everything, keep nothing."""
    try:
        for text in _texts(path, encoding):
            if "\0" in text:
                raise FileRefused(
                    "NUL_BYTE",
                    "the text holds NUL characters: it is damaged or not text; export it again",
                    "文本中含有 NUL 字符：文件已损坏或不是文本；请重新导出",
                )
    except _Undecodable as broken:
        if encoding in ("utf-8", "gb18030"):
            raise
        raise broken.refusal() from None


def _texts(path: Path, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    before = continuation_bytes = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                valid = error.object[: error.start]
                if encoding == "utf-8":
                    continuation_bytes += len(valid) - len(valid.decode())
                position = before - pending + error.start
                is_cut = not chunk
                raise _Undecodable(encoding, position, continuation_bytes, is_cut) from None
            continuation_bytes += len(chunk) - len(text)
            before += len(chunk)
            if text:
                yield text
            if not chunk:
                return
