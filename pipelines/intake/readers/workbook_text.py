"""xlsx as a document: every filled row of every sheet, hidden ones too, its cells joined by tabs.

Formulas count with their last result: this is about equal text, not about amounts.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipelines.intake.readers import FileRefused, office, packages, workbook_parts
from pipelines.intake.readers.gathering import Gathering
from pipelines.intake.readers.workbook import cell_text

#: The part that names the sheets.
BOOK = "xl/workbook.xml"


def read(path: Path, gathering: Gathering, work: Path) -> None:
    """Take a workbook apart as a document."""
    office.refuse_macros(path)
    checked = packages.checked_copy(path, work, packages.DOCUMENT)
    with zipfile.ZipFile(checked) as archive, office.Pictures(path) as pictures:
        parts = workbook_parts.sheet_parts(archive)
        try:
            book = CalamineWorkbook.from_path(str(checked))
            for known in book.sheets_metadata:
                if known.typ != SheetTypeEnum.WorkSheet:
                    continue
                workbook_parts.sheet_facts(archive, parts[known.name])  # refuses a sheet that spans too far
                if known.visible != SheetVisibleEnum.Visible:
                    gathering.notes.append(f"sheet {known.name} is hidden, and was read 隐藏工作表亦已读取")
                rows = book.get_sheet_by_name(known.name).to_python(skip_empty_area=False)
                for number, cells in enumerate(rows, 1):
                    text = "\t".join(map(cell_text, cells))
                    if text.strip():
                        gathering.part(f"sheet {known.name} row {number} 第{number}行", text.rstrip("\t"))
        except (CalamineError, KeyError) as error:
            raise FileRefused(
                "DAMAGED_WORKBOOK",
                f"the workbook cannot be opened ({error}); save it again and deliver it",
                f"工作簿无法打开（{error}）；请重新保存后提供",
            ) from None
        for sheet, member in drawings(archive, parts):
            relations = office.related(archive, member)
            for row, picture in _pictures(archive, member):
                if picture in relations:
                    target = relations[picture].member
                    place = f"sheet {sheet} row {row} 第{row}行"
                    gathering.image(place, pictures.chunks(target), pictures.size(target))
        office.gather_properties(archive, gathering)


def drawings(archive: zipfile.ZipFile, parts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield sheet and member of every drawing that lies on a sheet."""
    for sheet, part in parts.items():
        for relation in office.related(archive, part).values():
            if relation.kind == "drawing":
                yield sheet, relation.member


def _pictures(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[int, str]]:
    """Yield the row, from 1, and the relation of every picture of a drawing."""
    for anchor in office.parsed(archive, member):
        rows = [one.text for one in anchor.iter() if packages.local(one.tag) == "row"]
        row = int(rows[0]) + 1 if rows and (rows[0] or "").isdecimal() else 1
        for element in anchor.iter():
            if packages.local(element.tag) == "blip":
                yield row, office.picture_id(element.attrib)
