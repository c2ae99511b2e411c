"""Documents (bids, tender documents, templates): docx, pdf, xlsx and plain text, taken apart for comparing.

What the pieces are called stands in ``gathering``. The form is told by the content; a name whose ending
says another form is refused, because one of the two is wrong.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.intake.readers import FileRefused, FileRule, Reading, decoding, sniffing
from pipelines.intake.readers.gathering import Gathering

#: Content as ``sniffing`` names it -> form.
_FORMS = {
    "docx": "docx",
    "pdf": "pdf",
    "workbook": "xlsx",
    "delimited": "text",
    "xml": "text",
    "json": "text",
}

_ENDINGS = {".docx": "docx", ".pdf": "pdf", ".xlsx": "xlsx", ".txt": "text"}

_LINE_END = re.compile("\r\n|\r|\n")


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a document apart; see ``readers.read``."""
    from pipelines.intake.readers import pdf, word, workbook_text

    form = form_of(path, file_name)
    gathering = Gathering(path, form, work)
    readers = {"docx": word.read, "pdf": pdf.read, "xlsx": workbook_text.read, "text": _read_text}
    readers[form](path, gathering, work)
    gathering.finish()
    return Reading(gathering.spool.sections(), gathering.spool.unreadable, gathering.notes)


def form_of(path: Path, file_name: str) -> str:
    """Return the form of a document: ``docx``, ``pdf``, ``xlsx`` or ``text``.

    Raises:
        FileRefused: the ending of its name says another.
    """
    form = _FORMS[sniffing.sniff(path)]
    name = Path(file_name.lower())
    ending = (Path(name.stem) if name.suffix in (".gz", ".zst") else name).suffix
    if _ENDINGS.get(ending, form) != form:
        raise FileRefused(
            "WRONG_EXTENSION",
            f"the name ends with {ending}, and the content is {form}; give the file its right name, "
            "or deliver the right file",
            f"文件扩展名为 {ending}，而内容为 {form}；请更正文件名或提供正确的文件",
        )
    return form


def _read_text(path: Path, gathering: Gathering, work: Path) -> None:
    """Take every line that is not blank."""
    encoding = decoding.encoding_of(path)
    gathering.notes.append(f"encoding {encoding}")
    for number, line in enumerate(_LINE_END.split(path.read_text(encoding=encoding)), 1):
        if line.strip():
            gathering.part(f"line {number} 第{number}行", line)
