"""Reads OCDS releases line by line into the tables of ``detectors.ocds.facts``, and computes the indicators.

A line holds a compiled release, a record with its ``compiledRelease``, or a package of either. A line
that holds none of these is left out and named; the others count. Where an ocid comes more than once the
last one in the file is used, and said.

One pass: releases go in batches to a temporary DuckDB file, which spills to disk, so that memory does
not grow with the size of the bids. Nothing is kept afterwards.
"""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from detectors.ocds.indicators import Limits, assess
from detectors.ocds.verdicts import Assessment
from pipelines import duck
from pipelines.duck import DuckDBEngine
from pipelines.indicators.settings import Preparation
from pipelines.intake.readers import strict_json

#: Left-out lines and replaced releases that are named one by one; all are counted.
MAX_NAMED = 1_000

#: Statuses of OCDS 1.1 and its bid extension.
BID_STATUSES = frozenset({"invited", "pending", "valid", "disqualified", "withdrawn"})
AWARD_STATUSES = frozenset({"pending", "active", "cancelled", "unsuccessful"})

#: Releases written at a time.
BATCH_RELEASES = 5_000

#: Digits that a double always gives back.
_SAFE_DIGITS = 15

_TEXT, _WHOLE, _NUMBER = pa.string(), pa.int64(), pa.float64()
_SCHEMAS = {
    "processes": pa.schema(
        [
            ("process", _WHOLE),
            ("ocid", _TEXT),
            ("line", _WHOLE),
            ("tender_status", _TEXT),
            ("method", _TEXT),
            ("details", _TEXT),
            ("tenderers", _NUMBER),
            ("starts_at", _WHOLE),
            ("start_kind", _TEXT),
            ("ends_at", _WHOLE),
            ("end_kind", _TEXT),
            ("buyer_id", _TEXT),
            ("entity_id", _TEXT),
            ("class", _TEXT),
            ("tender_currency", _TEXT),
            ("has_bids", pa.bool_()),
            ("has_awards", pa.bool_()),
        ]
    ),
    "bids": pa.schema(
        [
            ("process", _WHOLE),
            ("bid", _WHOLE),
            ("status", _TEXT),
            ("amount", _NUMBER),
            ("currency", _TEXT),
            ("dated_at", _WHOLE),
            ("date_kind", _TEXT),
            ("tenderer_id", _TEXT),
            ("tenderer_set", _TEXT),
        ]
    ),
    "bid_tenderers": pa.schema([("process", _WHOLE), ("bid", _WHOLE), ("tenderer_id", _TEXT)]),
    "awards": pa.schema(
        [
            ("process", _WHOLE),
            ("award", _WHOLE),
            ("status", _TEXT),
            ("suppliers", _WHOLE),
            ("supplier_id", _TEXT),
        ]
    ),
    "award_suppliers": pa.schema([("process", _WHOLE), ("award", _WHOLE), ("supplier_id", _TEXT)]),
    "award_items": pa.schema([("process", _WHOLE), ("award", _WHOLE), ("item_class", _TEXT)]),
}

_ZONED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LeftOut:
    """A line that was not used."""

    line: int
    code: str
    reason: str
    reason_zh: str


@dataclass
class Input:
    """What the file held.

    Attributes:
        lines: lines with something on them.
        releases: releases found in them.
        processes: releases used, one for each ocid.
        left_out: code -> lines.
        named: the first left-out lines.
        replaced: releases that were not used because a later one has the same ocid.
        named_replaced: the first of them: ocid, line and line of the one used.
        amounts_inexact: bid amounts with more digits than can be told apart; used as missing.
        amounts_not_positive: bid amounts of zero or below, often placeholders; used as they are.
        unknown_statuses: (``bid`` or ``award``, status that the standard does not have) -> how many; the
            first ones only.
    """

    lines: int = 0
    releases: int = 0
    processes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    named: list[LeftOut] = field(default_factory=list)
    replaced: int = 0
    named_replaced: list[tuple[str, int, int]] = field(default_factory=list)
    amounts_inexact: int = 0
    amounts_not_positive: int = 0
    unknown_statuses: Counter[tuple[str, str]] = field(default_factory=Counter)


def compute(
    path: Path, limits: Limits, preparation: Preparation, *, threads: int = 2
) -> tuple[Assessment, Input]:
    """Compute the indicators over a file of OCDS releases, one a line; ``.gz`` and ``.zst`` are unpacked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is compressed and damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
        con = duck.connect(Path(folder) / "indicators.duckdb", threads=threads)
        try:
            taken = _load(con, path, preparation)
            return assess(DuckDBEngine(con), limits), taken
        finally:
            con.close()


def _load(con: duckdb.DuckDBPyConnection, path: Path, preparation: Preparation) -> Input:
    con.execute("CREATE SCHEMA ocds")
    for table, schema in _SCHEMAS.items():
        con.register("empty", schema.empty_table())
        con.execute(f"CREATE TABLE ocds.{table} AS SELECT * FROM empty")
        con.unregister("empty")
    taken = Input()
    rows = _Rows(preparation, taken)
    for line, found in releases(path, taken):
        taken.releases += 1
        rows.add(taken.releases, line, found)
        if taken.releases % BATCH_RELEASES == 0:
            rows.write(con)
    rows.write(con)
    _keep_last(con, taken)
    return taken


def _keep_last(con: duckdb.DuckDBPyConnection, taken: Input) -> None:
    """Keep of every ocid the release that stands last in the file."""
    con.execute("""
        CREATE TABLE ocds.replaced AS
        SELECT process, ocid, line, last_line
        FROM (
            SELECT process, ocid, line,
                   max(process) OVER (PARTITION BY ocid)      AS last_process,
                   max(line) OVER (PARTITION BY ocid)         AS last_line
            FROM ocds.processes
        ) AS p
        WHERE process < last_process
    """)
    ((taken.replaced,),) = con.execute("SELECT count(*) FROM ocds.replaced").fetchall()
    taken.processes = taken.releases - taken.replaced
    if taken.replaced:
        taken.named_replaced = con.execute(
            "SELECT ocid, line, last_line FROM ocds.replaced ORDER BY process LIMIT $most",
            {"most": MAX_NAMED},
        ).fetchall()
        for table in _SCHEMAS:
            con.execute(f"DELETE FROM ocds.{table} WHERE process IN (SELECT process FROM ocds.replaced)")


def releases(path: Path, taken: Input) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, release) and count in ``taken`` what was left out.

    Raises:
        ValueError: the file is compressed and damaged.
    """
    decoder = _Decoder()
    for line, raw in _lines(path):
        taken.lines += 1
        for found in _of_line(decoder, raw):
            if isinstance(found, strict_json.Fault):
                taken.left_out[found.code] += 1
                if len(taken.named) < MAX_NAMED:
                    taken.named.append(LeftOut(line, found.code, found.reason, found.reason_zh))
            else:
                yield line, found


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, bytes) of every line that is not blank; None for one that is too long."""
    most = strict_json.MAX_RECORD_CHARS
    try:
        with (
            pa.input_stream(str(path), compression="detect") as stream,
            io.BufferedReader(stream, 2**20) as file,
        ):
            number = 0
            while line := file.readline(most):
                number += 1
                if len(line) == most and not line.endswith(b"\n"):
                    while (rest := file.readline(most)) and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                elif line := line.strip(b"\xef\xbb\xbf \t\r\n" if number == 1 else b" \t\r\n"):
                    yield number, line
    except OSError as error:
        raise ValueError(f"{path.name}: cannot be read to its end ({error}); export it again") from None


class _Digits(str):
    """A JSON number, as its digits: so that "1" and 1 stay different."""


class _Decoder(strict_json.Decoder):
    def _number(self, digits: str) -> str:
        return _Digits(super()._number(digits))


def _of_line(decoder: _Decoder, raw: bytes | None) -> list[dict[str, Any] | strict_json.Fault]:
    """Return the releases in a line, or why it has none."""
    if raw is None:
        most = strict_json.MAX_RECORD_CHARS
        return [strict_json.Fault("LINE_TOO_LONG", f"longer than {most:,} bytes", f"该行超过 {most:,} 字节")]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return [strict_json.Fault("NOT_UTF8", f"not UTF-8 at byte {error.start + 1}", "该行不是 UTF-8 文本")]
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        return [strict_json.Fault("NOT_JSON", f"not JSON: {error}", "该行不是合法的 JSON")]
    if end != len(text):
        return [strict_json.Fault("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")]
    if fault := decoder.fault():
        return [fault]
    if isinstance(value, dict) and not {"ocid", "compiledRelease"} & value.keys():
        packages = [value[name] for name in ("releases", "records") if isinstance(value.get(name), list)]
        if packages:
            return [_release(element) for package in packages for element in package]
    return [_release(value)]


def _release(value: Any) -> dict[str, Any] | strict_json.Fault:
    """Return a release, or the compiled one of a record."""
    if not isinstance(value, dict):
        return strict_json.Fault("NO_RELEASE", "JSON, but not an object", "是 JSON，但不是对象")
    if "compiledRelease" in value:
        return _release(value["compiledRelease"])
    if isinstance(value.get("releases"), list):
        return strict_json.Fault(
            "NOT_COMPILED",
            "a record without compiledRelease; compile it first",
            "record 没有 compiledRelease，请先合并",
        )
    ocid = value.get("ocid")
    if not isinstance(ocid, str) or isinstance(ocid, _Digits) or not ocid:
        return strict_json.Fault(
            "NO_RELEASE", "no release: ocid is not a text", "没有文本形式的 ocid，不是 release"
        )
    return value


class _Rows:
    """Takes releases apart, and writes them batch by batch."""

    def __init__(self, preparation: Preparation, taken: Input) -> None:
        self._preparation = preparation
        self._taken = taken
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _SCHEMAS}

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        for table, rows in self._rows.items():
            if rows:
                schema = _SCHEMAS[table]
                columns = [
                    pa.array(values, kind)
                    for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
                ]
                con.register("batch", pa.table(columns, schema=schema))
                con.execute(f"INSERT INTO ocds.{table} SELECT * FROM batch")
                con.unregister("batch")
                rows.clear()

    def add(self, process: int, line: int, release: dict[str, Any]) -> None:
        tender = _object(release.get("tender"))
        period = _object(tender.get("tenderPeriod"))
        bids = _object(release.get("bids")).get("details")
        awards = release.get("awards")
        self._rows["processes"].append(
            (
                process,
                release["ocid"],
                line,
                _code(tender.get("status")),
                _code(tender.get("procurementMethod")),
                _code(tender.get("procurementMethodDetails")),
                _whole(tender.get("numberOfTenderers")),
                *_moment(period.get("startDate")),
                *_moment(period.get("endDate")),
                self._id(release.get("buyer")),
                self._id(tender.get("procuringEntity")),
                _class(tender),
                _code(_object(tender.get("value")).get("currency")),
                isinstance(bids, list),
                isinstance(awards, list),
            )
        )
        for place, bid in enumerate(_objects(bids)):
            self._add_bid(process, place, bid)
        for place, award in enumerate(_objects(awards)):
            self._add_award(process, place, award)

    def _add_bid(self, process: int, place: int, bid: dict[str, Any]) -> None:
        fixed = self._preparation
        value = _object(bid.get("value"))
        status = _code(bid.get("status", fixed.defaults_bid_status))
        status = fixed.codelists_bid_status.get(status or "", status)
        self._note_status("bid", status, BID_STATUSES)
        tenderers = _list(bid.get("tenderers"))
        ids = self._ids(tenderers)
        self._rows["bids"].append(
            (
                process,
                place,
                status,
                self._amount(value.get("amount")),
                _code(value.get("currency", fixed.defaults_currency)),
                *_moment(bid.get("date")),
                ids[0] if len(tenderers) == len(ids) == 1 else None,
                json.dumps(ids) if ids else None,
            )
        )
        self._rows["bid_tenderers"] += [(process, place, id) for id in ids]

    def _add_award(self, process: int, place: int, award: dict[str, Any]) -> None:
        fixed = self._preparation
        status = _code(award.get("status", fixed.defaults_award_status))
        status = fixed.codelists_award_status.get(status or "", status)
        self._note_status("award", status, AWARD_STATUSES)
        suppliers = _list(award.get("suppliers"))
        ids = self._ids(suppliers)
        self._rows["awards"].append(
            (process, place, status, len(suppliers), ids[0] if len(suppliers) == len(ids) == 1 else None)
        )
        self._rows["award_suppliers"] += [(process, place, id) for id in ids]
        classes = {_id_of(item.get("classification")) for item in _objects(award.get("items"))}
        self._rows["award_items"] += [(process, place, one) for one in sorted(filter(None, classes))]

    def _note_status(self, of: str, status: str | None, known: frozenset[str]) -> None:
        if status is not None and status not in known:
            unknown = self._taken.unknown_statuses
            if (of, status) in unknown or len(unknown) < MAX_NAMED:
                unknown[of, status] += 1

    def _amount(self, value: Any) -> float | None:
        if not isinstance(value, _Digits):
            return None
        amount = float(value)
        if not _is_exact(value, amount):
            self._taken.amounts_inexact += 1
            return None
        if amount in self._preparation.redactions_amount:
            return None
        self._taken.amounts_not_positive += amount <= 0
        return amount

    def _ids(self, organizations: list[Any]) -> list[str]:
        return sorted({id for one in organizations if (id := self._id(one))})

    def _id(self, organization: Any) -> str | None:
        id = _id_of(organization)
        return None if id in self._preparation.redactions_organization_id else id


def _id_of(value: Any) -> str | None:
    """Return an object's id as text: OCDS allows numbers too."""
    id = _object(value).get("id")
    return str(id) if isinstance(id, str) and id else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    """Return an array; a single object counts as an array of one."""
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _code(value: Any) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, _Digits) and value else None


def _whole(value: Any) -> float | None:
    """Return a count; what is no whole number of a sensible size is missing."""
    if not isinstance(value, _Digits):
        return None
    number = float(value)
    return number if 0 <= number < 2**53 and number == int(number) else None


def _is_exact(digits: str, number: float) -> bool:
    """Say whether no other text than one of equal value gives this number."""
    if len(digits) <= _SAFE_DIGITS and digits.strip("-.0123456789") == "":
        return True
    return math.isfinite(number) and Decimal(digits) == Decimal(repr(number))


def _moment(value: Any) -> tuple[int | None, str | None]:
    """Return microseconds since 1970 and how much the text says: zoned, local, date or unreadable."""
    if value is None or value == "":
        return None, None
    text = value.upper() if isinstance(value, str) else ""
    for kind, form in (("zoned", _ZONED), ("local", _LOCAL), ("date", _DATE)):
        if form.fullmatch(text):
            try:
                at = datetime.fromisoformat(text)
                since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH
            except (ValueError, OverflowError):
                break
            return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, kind
    return None, "unreadable"


def _class(tender: dict[str, Any]) -> str | None:
    """Return what is bought, as coarse as can be said: scheme and first two characters of all items' class.

    Where the items differ, or have none: goods, works or services.
    """
    found = set()
    for item in _objects(tender.get("items")):
        classification = _object(item.get("classification"))
        if code := _id_of(classification):
            found.add(f"{_code(classification.get('scheme')) or ''} {code[:2]}".strip())
    return found.pop() if len(found) == 1 else _code(tender.get("mainProcurementCategory"))
