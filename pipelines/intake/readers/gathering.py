"""What a document holds, piece by piece and within limits: its parts, its properties, its images.

==========  =============================================  ======================================
section     one row per                                    columns, besides ``file_sha``
==========  =============================================  ======================================
file        document                                       ``file_md5``, ``form``, ``parts``,
                                                           ``parts_without_text``, ``images``
parts       page, paragraph, row or line                   ``place``, ``text``
properties  property that the document states of itself    ``property``, ``words`` or ``author``
images      place where an image stands                    ``place``, ``image_sha``, ``bytes``,
                                                           ``width``, ``height`` (pixels)
==========  =============================================  ======================================

``file_sha`` is the SHA-256 of the document itself, unpacked where it came as gzip or zstd.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from pipelines.intake.readers import MAX_RAW_TEXT, FileRefused, Unreadable
from pipelines.intake.readers.spooling import Spool

#: A bid of 2,000 pages has some 50,000 paragraphs and 2,000,000 characters.
MAX_PARTS = 500_000
MAX_CHARS = 50_000_000

#: Images beyond this are counted and not hashed: a scanner may cut each page into strips.
MAX_IMAGES = 5_000

#: Properties whose value may name a person.
PERSONS = ("author", "last_modified_by")

_COLUMNS = {
    "file": ("file_sha", "file_md5", "form", "parts", "parts_without_text", "images"),
    "parts": ("file_sha", "place", "text"),
    "properties": ("file_sha", "property", "author", "words"),
    "images": ("file_sha", "place", "image_sha", "bytes", "width", "height"),
}

#: PDF text has such characters where a font says nothing sensible; no format means them as text.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]+")

_HASHED_AT_ONCE = 2**20


def cleaned(text: str) -> str:
    """Return a text without what no reader sees: control characters, blanks around it."""
    return _CONTROLS.sub(" ", text).strip()


class Gathering:
    """The pieces of one document while it is being read.

    Args:
        path: the document.
        form: ``docx``, ``pdf``, ``xlsx`` or ``text``.
        work: a private folder.
    """

    def __init__(self, path: Path, form: str, work: Path) -> None:
        self.notes: list[str] = []
        self.parts = self.parts_without_text = self.images = 0
        self._images_seen = self._properties = self._chars = 0
        self._form = form
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with path.open("rb") as file:
            while chunk := file.read(_HASHED_AT_ONCE):
                sha256.update(chunk)
                md5.update(chunk)
        self._file_sha, self._file_md5 = sha256.hexdigest(), md5.hexdigest()
        self.spool = Spool(work)
        for section, columns in _COLUMNS.items():
            self.spool.declare(section, columns)

    def part(self, place: str, text: str) -> None:
        """Keep a page, paragraph, row or line; the text may be empty.

        Raises:
            FileRefused: the document is larger than any bid.
        """
        self.parts += 1
        self.parts_without_text += not text.strip()
        self._chars += len(text)
        if self.parts > MAX_PARTS or self._chars > MAX_CHARS:
            raise FileRefused(
                "DOCUMENT_TOO_LARGE",
                f"the document has more than {MAX_PARTS:,} parts or {MAX_CHARS:,} characters; "
                "deliver it in volumes",
                f"文件超过 {MAX_PARTS:,} 段或 {MAX_CHARS:,} 字；请分卷提供",
            )
        row = {"file_sha": self._file_sha, "place": place, "text": cleaned(text)}
        self.spool.add("parts", self.parts, place, row)

    def unreadable_part(self, place: str, code: str, reason: str, reason_zh: str) -> None:
        """Note a part that cannot be read; it keeps its number."""
        self.parts += 1
        self.spool.refuse(
            Unreadable("parts", self.parts, place, code, reason, reason_zh, place[:MAX_RAW_TEXT], "text")
        )

    def property(self, name: str, value: str) -> None:
        """Keep one property, if it says anything."""
        value = cleaned(value)
        if not value:
            return
        self._properties += 1
        column = "author" if name in PERSONS else "words"
        row = {"file_sha": self._file_sha, "property": name, column: value}
        self.spool.add("properties", self._properties, name, row)

    def image(self, place: str, chunks: Iterable[bytes], size: tuple[int, int] | None) -> None:
        """Keep the hash of an image's stored bytes.

        Args:
            place: where it stands.
            chunks: its bytes; not asked for beyond ``MAX_IMAGES``.
            size: width and height in pixels, if known.
        """
        self._images_seen += 1
        if self._images_seen > MAX_IMAGES:
            return
        self.images += 1
        digest, length = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            length += len(chunk)
        row = {
            "file_sha": self._file_sha,
            "place": place,
            "image_sha": digest.hexdigest(),
            "bytes": str(length),
            "width": str(size[0]) if size else None,
            "height": str(size[1]) if size else None,
        }
        self.spool.add("images", self.images, place, row)

    def finish(self) -> None:
        """Write the document's own record and say what a person should know about it."""
        if self.parts_without_text:
            self.notes.append(
                f"{self.parts_without_text:,} of {self.parts:,} pages hold no text (scanned?), nothing on them "
                f"was compared 共{self.parts:,}页中有{self.parts_without_text:,}页无文字，未能比对"
            )
        if not self.parts:
            self.notes.append("the document holds no text at all 文件没有任何文字")
        if left_out := self._images_seen - self.images:
            self.notes.append(
                f"{left_out:,} images beyond the first {MAX_IMAGES:,} were not taken 其余{left_out:,}张图片未采集"
            )
        row = {
            "file_sha": self._file_sha,
            "file_md5": self._file_md5,
            "form": self._form,
            "parts": str(self.parts),
            "parts_without_text": str(self.parts_without_text),
            "images": str(self.images),
        }
        self.spool.add("file", 1, "the document", row)
