"""What docx and xlsx have in common: how their parts hang together, their properties, their pictures."""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
from docx.image.image import Image

from pipelines.intake.readers import FileRefused, packages
from pipelines.intake.readers.gathering import Gathering

#: Elements of the package's property parts -> property.
PROPERTIES = {
    "creator": "author",
    "lastModifiedBy": "last_modified_by",
    "title": "title",
    "created": "created_at",
    "modified": "modified_at",
    "Application": "application",
    "Company": "company",
    "Template": "template",
}
PROPERTY_PARTS = ("core-properties", "extended-properties")
CUSTOM_PART = "custom-properties"

#: Custom property in which WPS Office names the installation that wrote the file.
INSTALLATION = "ICV"

#: Enough to find the size in the head of a picture.
_HEAD_BYTES = 2**20

_NO_SIZE = (
    InvalidImageStreamError,
    UnexpectedEndOfFileError,
    UnrecognizedImageError,
    struct.error,
    LookupError,
    ValueError,
    ArithmeticError,
)


@dataclass(frozen=True)
class Relation:
    """One part that another names; ``kind`` is the last word of the relationship's type."""

    kind: str
    member: str


def related(archive: zipfile.ZipFile, part: str) -> dict[str, Relation]:
    """Return id -> relation of every part inside the package that ``part`` names; ``""`` is the package.

    Raises:
        FileRefused: the list is no XML.
    """
    folder, name = posixpath.split(part)
    listed = posixpath.join(folder, "_rels", f"{name}.rels")
    members = set(archive.namelist())
    if listed not in members:
        return {}
    found = {}
    for one in parsed(archive, listed):
        target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
        if one.get("TargetMode") != "External" and target in members:
            found[one.get("Id", "")] = Relation(one.get("Type", "").rpartition("/")[2], target)
    return found


def parsed(archive: zipfile.ZipFile, member: str):  # type: ignore[no-untyped-def]
    """Return the root element of a part.

    Raises:
        FileRefused: it is no XML.
    """
    try:
        return fromstring(archive.read(member))
    except (ParseError, DefusedXmlException) as error:
        raise packages.broken(member, error) from None


def picture_id(attributes: dict[str, str]) -> str:
    """Return the id of the relation that a picture element embeds; an empty text without one."""
    return next(
        (value for key, value in attributes.items() if packages.local(key) in ("embed", "id") and ":" in key),
        "",
    )


def refuse_macros(path: Path) -> None:
    """Refuse a file with a program inside.

    Raises:
        FileRefused: there is one.
    """
    with zipfile.ZipFile(path) as archive:
        if any(name.lower().endswith("vbaproject.bin") for name in archive.namelist()):
            raise FileRefused(
                "MACRO_FILE",
                "the file holds macros (a program); save it as .docx or .xlsx without macros",
                "文件含有宏（程序）；请另存为不含宏的 .docx 或 .xlsx",
            )


def gather_properties(archive: zipfile.ZipFile, gathering: Gathering) -> None:
    """Keep what the package's property parts state, in their order."""
    for relation in related(archive, "").values():
        if relation.kind in PROPERTY_PARTS:
            for element in parsed(archive, relation.member):
                if name := PROPERTIES.get(packages.local(element.tag)):
                    gathering.property(name, element.text or "")
        elif relation.kind == CUSTOM_PART:
            for element in parsed(archive, relation.member):
                if element.get("name") == INSTALLATION:
                    gathering.property("installation_id", "".join(element.itertext()))


class Pictures:
    """The pictures of a package, read piece by piece from the file as delivered.

    Use as a context manager. The same picture is read once, however often it stands in the document.
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._sizes: dict[str, tuple[int, int] | None] = {}

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def size(self, member: str) -> tuple[int, int] | None:
        """Return width and height in pixels, or None where its head does not say."""
        if member not in self._sizes:
            self._sizes[member] = self._measured(member)
        return self._sizes[member]

    def _measured(self, member: str) -> tuple[int, int] | None:
        head = next(iter(self.chunks(member)), b"")
        try:
            picture = Image.from_blob(head)
            return picture.px_width, picture.px_height
        except _NO_SIZE:
            return None

    def chunks(self, member: str) -> Iterator[bytes]:
        """Yield the bytes of a picture.

        Raises:
            FileRefused: it is damaged.
        """
        try:
            with self._archive.open(member) as file:
                while chunk := file.read(_HEAD_BYTES):
                    yield chunk
        except packages.DAMAGE as error:
            raise packages.damaged(error) from None
