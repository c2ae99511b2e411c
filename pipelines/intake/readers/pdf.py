"""PDF: one part a page, empty where the page holds no text; its properties; its images.

A page that cannot be read is an unreadable record, the others are taken. Pages are not drawn and not
recognised: a scanned page has no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipelines.intake.readers import FileRefused
from pipelines.intake.readers.gathering import Gathering

#: Longer than any real bid; ten thousand empty pages are a few bytes each.
MAX_PAGES = 5_000

#: How deep forms may lie in forms.
MAX_DEPTH = 5

#: Keys of the information dictionary -> property.
PROPERTIES = {
    "Author": "author",
    "Creator": "application",
    "Producer": "producer",
    "Title": "title",
    "CreationDate": "created_at",
    "ModDate": "modified_at",
}

#: D:20260501093000+08'00'
_MOMENT = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z|([+-]\d\d)'?(\d\d)'?)?.*")

#: All of the page and what lies beyond its edges.
_EVERYWHERE = 1e6


def read(path: Path, gathering: Gathering, work: Path) -> None:
    """Take a PDF apart."""
    with opened(path) as document:
        for number in range(1, len(document) + 1):
            place = f"page {number} 第{number}页"
            try:
                page = document[number - 1]
            except pdfium.PdfiumError:
                gathering.unreadable_part(
                    place, "UNREADABLE_PAGE", f"{place} cannot be opened", f"第{number}页无法打开"
                )
                continue
            textpage = page.get_textpage()
            text = textpage.get_text_bounded(-_EVERYWHERE, -_EVERYWHERE, _EVERYWHERE, _EVERYWHERE)
            gathering.part(place, text.replace("\r\n", "\n"))
            for image in images(page):
                gathering.image(place, _stored(image), image.get_px_size())
            textpage.close()
            page.close()
        for key, name in PROPERTIES.items():
            value = document.get_metadata_value(key)
            gathering.property(name, _moment(value) if name.endswith("_at") else value)
        gathering.property("document_id", document.get_identifier().hex())


@contextmanager
def opened(path: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a PDF of at most ``MAX_PAGES`` pages.

    Raises:
        FileRefused: broken, encrypted, or longer.
    """
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise _refusal(error) from None
    try:
        pages = len(document)
        if pages > MAX_PAGES:
            raise FileRefused(
                "TOO_MANY_PAGES",
                f"the PDF has {pages:,} pages, more than {MAX_PAGES:,}; deliver it in volumes",
                f"PDF 共 {pages:,} 页，超过 {MAX_PAGES:,} 页；请分卷提供",
            )
        if not pages:
            raise FileRefused(
                "NO_PAGES", "the PDF has no page; deliver it again", "PDF 没有任何页面；请重新提供"
            )
        yield document
    finally:
        document.close()


def images(page: pdfium.PdfPage) -> Iterator[pdfium.PdfImage]:
    """Yield the images that stand on a page."""
    for found in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=MAX_DEPTH):
        assert isinstance(found, pdfium.PdfImage)
        yield found


def _stored(image: pdfium.PdfImage) -> Iterator[bytes]:
    yield bytes(image.get_data(decode_simple=False))


def _moment(text: str) -> str:
    """Return a PDF's own form of a time as ISO 8601, anything else as it is."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return text
    year, month, day, hour, minute, second, zone, zone_minutes = found.groups()
    offset = f"{zone}:{zone_minutes}" if zone else "Z" if "Z" in text else ""
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}{offset}"


def _refusal(error: pdfium.PdfiumError) -> FileRefused:
    if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return FileRefused(
            "ENCRYPTED",
            "the PDF is protected with a password; take the password off and deliver it again",
            "PDF 已加密；请取消密码后重新提供",
        )
    return FileRefused(
        "DAMAGED_PDF",
        f"the PDF is damaged or cut ({error}); make it again and deliver it",
        f"PDF 已损坏或被截断（{error}）；请重新生成后提供",
    )
