"""The list of penalties and results that every member office gets (article 17 of the notice of 2021), as bytes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence

from reports.bundle import sealed
from reports.canonical_json import canonical_json
from reports.cells import cell

#: Names the layout. It changes with the columns, the file names and their meaning.
FORMAT_VERSION = "results-1"

COLUMNS_ZH = {
    "case_id": "线索编号",
    "scope": "标段/事项",
    "office_zh": "办理单位",
    "basis": "权责事项",
    "document_no": "移送文号/立案文号",
    "outcome": "处理结果",
    "noted_on": "反馈登记日期",
}

Result = Mapping[str, str]


def results_id(recipient: str, results: Sequence[Result]) -> str:
    """Return the 16 hex places that name a delivery of results."""
    said = [recipient, FORMAT_VERSION, sorted(canonical_json(dict(result)) for result in results)]
    return hashlib.sha256(canonical_json(said).encode()).hexdigest()[:16]


def results_bundle(
    recipient: str, name_zh: str, results: Sequence[Result], snapshot: str, checkpoint: str
) -> dict[str, bytes]:
    """Return file name -> content of one delivery of results.

    Args:
        recipient: folder name of the office.
        name_zh: its name.
        results: each with the keys of `COLUMNS_ZH`.
        snapshot: what was published when it was written.
        checkpoint: of the audit log.
    """
    rows = sorted(results, key=lambda result: (result["noted_on"], result["case_id"], result["outcome"]))
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS_ZH.values())
    writer.writerows([cell(row[key]) for key in COLUMNS_ZH] for row in rows)
    manifest = {
        "delivery_id": results_id(recipient, results),
        "format_version": FORMAT_VERSION,
        "recipient": recipient,
        "name_zh": name_zh,
        "statement_zh": "依据修发改法规〔2021〕127号第（十七）项抄送各成员单位。",
        "columns": list(COLUMNS_ZH.values()),
        "rows": len(rows),
        "snapshot": snapshot,
        "supersedes": None,
    }
    files = {
        "results.csv": text.getvalue().encode("utf-8-sig"),
        "results.jsonl": b"".join(canonical_json(dict(row)).encode() + b"\n" for row in rows),
    }
    return sealed(manifest, files, checkpoint)
