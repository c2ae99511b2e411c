"""docx: the paragraphs of the text, its headers and footers, notes and comments, as a reader sees them.

Text that was deleted or moved away under change tracking is not read, nor the second copy of a text
box that Office keeps for old programs. A cell's paragraphs come row by row. A paragraph without text is no
part; ``raw_row`` numbers the others over the whole document.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from pipelines.intake.readers import FileRefused, office, packages
from pipelines.intake.readers.gathering import Gathering

#: Namespaces of the text: as Office writes it, and of the strict form of the standard.
WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
ALTERNATIVE = "http://schemas.openxmlformats.org/markup-compatibility/2006"
DRAWING = (
    "http://schemas.openxmlformats.org/drawingml/2006/main",
    "http://purl.oclc.org/ooxml/drawingml/main",
)
OLD_DRAWING = "urn:schemas-microsoft-com:vml"
DOCUMENT_ID = "http://schemas.microsoft.com/office/word/2012/wordml"

#: (namespace, name) of the elements that matter -> what they are.
MEANING = {
    **{
        (space, name): name
        for space in WORD
        for name in ("p", "t", "tab", "br", "cr", "noBreakHyphen", "tbl", "tr")
    },
    **{(space, "moveFrom"): "hidden" for space in WORD},
    (ALTERNATIVE, "Fallback"): "hidden",
    **{(space, "blip"): "picture" for space in DRAWING},
    (OLD_DRAWING, "imagedata"): "picture",
}

#: Kinds of parts that hold text besides the body, and how their places are called.
STORIES = {
    "header": ("header", "页眉"),
    "footer": ("footer", "页脚"),
    "footnotes": ("footnotes", "脚注"),
    "endnotes": ("endnotes", "尾注"),
    "comments": ("comments", "批注"),
}

_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


@dataclass
class _Place:
    """Where the walk is in a part; numbers count from 1."""

    story: tuple[str, str] | None
    paragraph: int = 0
    table: int = 0
    row: int = 0
    depth: int = 0
    open: list[list[str]] = field(default_factory=list)

    def name(self) -> str:
        if self.story is not None:
            return f"{self.story[0]}, paragraph {self.paragraph} {self.story[1]}第{self.paragraph}段"
        if self.depth:
            return f"table {self.table} row {self.row} 表{self.table}第{self.row}行"
        return f"paragraph {self.paragraph} 第{self.paragraph}段"


def read(path: Path, gathering: Gathering, work: Path) -> None:
    """Take a docx apart."""
    office.refuse_macros(path)
    checked = packages.checked_copy(path, work, packages.DOCUMENT)
    with zipfile.ZipFile(checked) as archive, office.Pictures(path) as pictures:
        for member, story in stories(archive):
            _read_story(archive, member, story, gathering, pictures)
        _gather_document_id(archive, gathering)
        office.gather_properties(archive, gathering)


def stories(archive: zipfile.ZipFile) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yield the parts that hold text: the body, then the others by kind, each with its name.

    Raises:
        FileRefused: the package does not say where its text is.
    """
    body = next(
        (one.member for one in office.related(archive, "").values() if one.kind == "officeDocument"), None
    )
    if body is None or not packages.is_xml(body):
        raise FileRefused(
            "NO_TEXT_PART",
            "the document does not say where its text is; save it again as .docx and deliver it",
            "文件未说明正文位置；请重新另存为 .docx 后提供",
        )
    yield body, None
    others = office.related(archive, body).values()
    for kind, (name, name_zh) in STORIES.items():
        members = dict.fromkeys(one.member for one in others if one.kind == kind)
        for number, member in enumerate(members, 1):
            yield (
                member,
                ((name, name_zh) if len(members) == 1 else (f"{name} {number}", f"{name_zh}{number}")),
            )


def _read_story(
    archive: zipfile.ZipFile,
    member: str,
    story: tuple[str, str] | None,
    gathering: Gathering,
    pictures: office.Pictures,
) -> None:
    relations = office.related(archive, member)
    tags = {f"{{{space}}}{name}": meaning for (space, name), meaning in MEANING.items()}
    at = _Place(story)
    hidden = 0
    with archive.open(member) as file:
        try:
            for event, element in etree.iterparse(
                file, events=("start", "end"), tag=list(tags), resolve_entities=False, no_network=True
            ):
                meaning = tags[element.tag]
                if meaning == "hidden":
                    hidden += 1 if event == "start" else -1
                elif not hidden and event == "start":
                    _start(meaning, element, at, relations, gathering, pictures)
                elif not hidden:
                    _end(meaning, element, at, gathering)
        except etree.XMLSyntaxError as error:
            raise packages.broken(member, error) from None


def _start(
    meaning: str,
    element: etree._Element,
    at: _Place,
    relations: dict[str, office.Relation],
    gathering: Gathering,
    pictures: office.Pictures,
) -> None:
    if meaning == "p":
        at.open.append([])
    elif meaning == "tbl":
        at.depth += 1
        if at.depth == 1:
            at.table, at.row = at.table + 1, 0
    elif meaning == "tr" and at.depth == 1:
        at.row += 1
    elif meaning == "picture" and (picture := relations.get(office.picture_id(dict(element.attrib)))):
        member = picture.member
        gathering.image(f"after {at.name()}后", pictures.chunks(member), pictures.size(member))


def _end(meaning: str, element: etree._Element, at: _Place, gathering: Gathering) -> None:
    if meaning == "p":
        text = "".join(at.open.pop())
        if text.strip():
            at.paragraph += not (at.depth and at.story is None)
            gathering.part(at.name(), text)
        element.clear(keep_tail=True)
    elif meaning == "tbl":
        at.depth -= 1
    elif at.open and meaning == "t":
        at.open[-1].append(element.text or "")
    elif at.open and meaning in _CHARACTERS and element.getparent().tag.endswith("}r"):
        at.open[-1].append(_CHARACTERS[meaning])


def document_ids(archive: zipfile.ZipFile) -> list[str]:
    """Return the ids that Word gave the document when it was made."""
    body, _ = next(stories(archive))
    settings = [one.member for one in office.related(archive, body).values() if one.kind == "settings"]
    return [
        value
        for member in settings
        for element in office.parsed(archive, member)
        if element.tag == f"{{{DOCUMENT_ID}}}docId"
        for value in element.attrib.values()
    ]


def _gather_document_id(archive: zipfile.ZipFile, gathering: Gathering) -> None:
    for value in document_ids(archive):
        gathering.property("document_id", value)
