import io
from datetime import date

import docx

from reports.figures_report import FigureTable, ReportCover, csv_bytes, docx_bytes

REPORT = ReportCover(
    title_zh="某年情况",
    addressee_zh="",
    office_zh="某委员会",
    first=date(2026, 1, 1),
    last=date(2026, 12, 31),
    until=date(2026, 12, 31),
)
TABLE = FigureTable("移送", ("单位", "件数", "退回"), [["公安局", 2, 0]], "期间内的次数。")


def lines(content):
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(content)).paragraphs]


def test_the_same_figures_are_the_same_bytes():
    assert docx_bytes(REPORT, [TABLE]) == docx_bytes(REPORT, [TABLE])
    assert docx_bytes(REPORT, [TABLE]) != docx_bytes(
        REPORT, [FigureTable("移送", ("单位", "件数"), [["公安局", 3]], "。")]
    )


def test_every_table_stands_under_its_head_with_its_definition():
    content = docx_bytes(REPORT, [TABLE])
    told = lines(content)
    assert told.index("一、移送") < told.index("口径：期间内的次数。")
    cells = [[cell.text for cell in row.cells] for row in docx.Document(io.BytesIO(content)).tables[0].rows]
    assert cells == [["单位", "件数", "退回"], ["公安局", "2", "0"]]


def test_a_table_without_rows_says_so():
    empty = FigureTable("移送", ("单位", "件数"), [], "期间内的次数。")
    document = docx.Document(io.BytesIO(docx_bytes(REPORT, [empty])))
    assert document.tables[0].rows[1].cells[0].text == "无"


def test_only_a_period_that_has_not_ended_says_until_when_it_was_counted():
    assert not any("截至" in line for line in lines(docx_bytes(REPORT, [])))
    running = ReportCover(**vars(REPORT) | {"until": date(2026, 3, 4)})
    assert any("统计截至2026年3月4日" in line for line in lines(docx_bytes(running, [])))


def test_the_csv_has_one_row_a_figure_with_its_definition():
    text = csv_bytes(REPORT, [TABLE]).decode("utf-8-sig").splitlines()
    assert text[1:] == [
        '"移送","公安局","件数","2","期间内的次数。"',
        '"移送","公安局","退回","0","期间内的次数。"',
    ]
