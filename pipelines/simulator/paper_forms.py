"""The bytes of a docx and of a picture, so that equal arguments give equal bytes on every machine.

Nothing is compressed, because the bytes of a compressor change with its version.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

_EPOCH = (1980, 1, 1, 0, 0, 0)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_SIDE_EMU = 720_000  # two centimetres

_OFFICE = "application/vnd.openxmlformats-officedocument"
_CONTENT_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="png" ContentType="image/png"/><Override PartName="/word/document.xml"'
    f' ContentType="{_OFFICE}.wordprocessingml.document.main+xml"/><Override PartName="/docProps/core.xml"'
    ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/><Override PartName='
    f'"/docProps/app.xml" ContentType="{_OFFICE}.extended-properties+xml"/></Types>'
)


@dataclass(frozen=True)
class Properties:
    """What a docx says of itself. Times are UTC."""

    author: str
    last_modified_by: str
    company: str
    application: str
    created_at: datetime
    modified_at: datetime


def docx(paragraphs: list[str], properties: Properties, pictures: list[bytes]) -> bytes:
    """Return a docx with these paragraphs and, at its end, these PNG pictures."""
    members = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _relations(
            (f"{_RELATIONS}/officeDocument", "word/document.xml"),
            (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            (f"{_RELATIONS}/extended-properties", "docProps/app.xml"),
        ),
        "docProps/core.xml": (
            f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
            f"<dc:creator>{escape(properties.author)}</dc:creator>"
            f"<cp:lastModifiedBy>{escape(properties.last_modified_by)}</cp:lastModifiedBy>"
            f"<dcterms:created>{properties.created_at:%Y-%m-%dT%H:%M:%SZ}</dcterms:created>"
            f"<dcterms:modified>{properties.modified_at:%Y-%m-%dT%H:%M:%SZ}</dcterms:modified></cp:coreProperties>"
        ),
        "docProps/app.xml": (
            '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
            f"<Application>{escape(properties.application)}</Application>"
            f"<Company>{escape(properties.company)}</Company></Properties>"
        ),
        "word/document.xml": _document(paragraphs, len(pictures)),
        "word/_rels/document.xml.rels": _relations(
            *((f"{_RELATIONS}/image", f"media/{n}.png") for n in range(1, len(pictures) + 1))
        ),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), f'<?xml version="1.0" encoding="UTF-8"?>{text}')
        for number, picture in enumerate(pictures, 1):
            archive.writestr(zipfile.ZipInfo(f"word/media/{number}.png", _EPOCH), picture)
    return content.getvalue()


def png(number: int, side: int = 24) -> bytes:
    """Return a grey picture whose pixels depend on the number alone."""
    pixels = bytearray()
    state = number * 2654435761 + 12345
    for _ in range(side):
        pixels.append(0)
        for _ in range(side):
            state = (state * 1103515245 + 12345) % 2**31
            pixels.append(state >> 16 & 255)
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(pixels), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _document(paragraphs: list[str], pictures: int) -> str:
    texts = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>' for text in paragraphs
    )
    drawn = "".join(_drawing(number) for number in range(1, pictures + 1))
    return (
        f'<w:document xmlns:w="{_WORD}" xmlns:r="{_RELATIONS}" xmlns:a="{_DRAWING}/main"'
        f' xmlns:wp="{_DRAWING}/wordprocessingDrawing" xmlns:pic="{_DRAWING}/picture">'
        f"<w:body>{texts}{drawn}</w:body></w:document>"
    )


def _drawing(number: int) -> str:
    size = f'cx="{_SIDE_EMU}" cy="{_SIDE_EMU}"'
    return (
        f'<w:p><w:r><w:drawing><wp:inline><wp:extent {size}/><wp:docPr id="{number}" name="{number}"/>'
        f'<a:graphic><a:graphicData uri="{_DRAWING}/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="{number}" name="{number}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
        f'<a:blip r:embed="rId{number}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>'
        f'<a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


def _relations(*targets: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
