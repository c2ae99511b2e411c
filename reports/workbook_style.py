"""What every workbook has in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

#: The time of creation of every workbook: fixed, so that equal rows give equal bytes.
CREATED = datetime(2000, 1, 1, tzinfo=UTC)

#: The last row of a sheet, counted from 0.
LAST_ROW = 1_048_575

#: The format of a cell.
CELL: Mapping[str, object] = {
    "font_name": "宋体",
    "font_size": 10,
    "valign": "top",
    "border": 1,
    "border_color": "#BFBFBF",
}
