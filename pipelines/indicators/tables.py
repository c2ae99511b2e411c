"""Releases taken apart into the tables of ``detectors.ocds.facts``, as rows that go to DuckDB batch by batch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.indicators.releases import MAX_NAMED, Digits, Input
from pipelines.indicators.settings import Preparation

#: Statuses of OCDS 1.1 and its bid extension.
BID_STATUSES = frozenset({"invited", "pending", "valid", "disqualified", "withdrawn"})
AWARD_STATUSES = frozenset({"pending", "active", "cancelled", "unsuccessful"})

#: Digits that a double always gives back.
_SAFE_DIGITS = 15

_TEXT, _WHOLE, _NUMBER = pa.string(), pa.int64(), pa.float64()
SCHEMAS = {
    "processes": pa.schema(
        [
            ("process", _WHOLE),
            ("ocid", _TEXT),
            ("place", _TEXT),
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
            ("is_divided", pa.bool_()),
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
            ("supplier_set", _TEXT),
        ]
    ),
    "lots": pa.schema([("process", _WHOLE), ("lot", _TEXT), ("status", _TEXT)]),
    "bid_lots": pa.schema([("process", _WHOLE), ("bid", _WHOLE), ("lot", _TEXT), ("is_alone", pa.bool_())]),
    "award_lots": pa.schema([("process", _WHOLE), ("award", _WHOLE), ("lot", _TEXT)]),
    "award_suppliers": pa.schema([("process", _WHOLE), ("award", _WHOLE), ("supplier_id", _TEXT)]),
    "award_items": pa.schema([("process", _WHOLE), ("award", _WHOLE), ("item_class", _TEXT)]),
}

_ZONED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Dates outside stand for nothing: 0001, 1900 and 9999 are what empty fields are filled with.
_EARLIEST, _LATEST = (
    int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * 1_000_000 for year in (1950, 2200)
)


class Rows:
    """Takes releases apart, and writes them batch by batch."""

    def __init__(self, preparation: Preparation, taken: Input) -> None:
        self._preparation = preparation
        self._taken = taken
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in SCHEMAS}

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Append what was added since the last time to the tables of schema ``ocds``."""
        for table, rows in self._rows.items():
            if rows:
                schema = SCHEMAS[table]
                columns = [
                    pa.array(values, kind)
                    for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
                ]
                con.register("batch", pa.table(columns, schema=schema))
                con.execute(f"INSERT INTO ocds.{table} SELECT * FROM batch")
                con.unregister("batch")
                rows.clear()

    def add(self, process: int, place: str, release: dict[str, Any]) -> None:
        """Take one release apart; ``process`` is its number among all, ``place`` where it stands."""
        fixed = self._preparation
        tender = _object(release.get("tender"))
        period = _object(tender.get("tenderPeriod"))
        bids = _object(release.get("bids")).get("details")
        if fixed.modifications_move_auctions and "bids" not in release:
            bids = _auction_bids(release.get("auctions"))
        awards = release.get("awards")
        has_lots = self._add_lots(process, tender.get("lots"), bids, awards)
        self._rows["processes"].append(
            (
                process,
                release["ocid"],
                place,
                _code(tender.get("status")),
                _code(tender.get("procurementMethod")),
                self._details(tender.get("procurementMethodDetails")),
                self._whole(tender.get("numberOfTenderers")),
                *self._moment(period.get("startDate")),
                *self._moment(period.get("endDate")),
                self._id(release.get("buyer"), fixed.modifications_prefix_buyer_or_procuring_entity_id),
                self._id(
                    tender.get("procuringEntity"), fixed.modifications_prefix_buyer_or_procuring_entity_id
                ),
                _class(tender),
                _code(_object(tender.get("value")).get("currency")),
                isinstance(bids, list),
                isinstance(awards, list),
                has_lots or _has_joint(bids, "tenderers") or _has_joint(awards, "suppliers"),
            )
        )
        for number, bid in enumerate(_objects(bids)):
            self._add_bid(process, number, bid)
        by_contract = fixed.corrections_award_status_by_contract_status
        undone = _undone(release.get("contracts")) if by_contract else frozenset()
        for number, award in enumerate(_objects(awards)):
            self._add_award(process, number, award, is_undone=_id_of(award) in undone)

    def _add_lots(self, process: int, lots: Any, bids: Any, awards: Any) -> bool:
        """Take down which lots there are and which bids and awards are for them; one lot is as good as none."""
        known = {id: _code(one.get("status")) for one in _objects(lots) if (id := _id_of(one))}
        of_bids = [_related_lots(one) for one in _objects(bids)]
        of_awards = [_related_lots(one) for one in _objects(awards)]
        known |= {id: None for ids in (*of_bids, *of_awards) for id in ids if id not in known}
        if len(known) < 2:
            return False
        self._rows["lots"] += [(process, lot, status) for lot, status in known.items()]
        self._rows["bid_lots"] += [
            (process, number, lot, len(ids) == 1) for number, ids in enumerate(of_bids) for lot in ids
        ]
        self._rows["award_lots"] += [
            (process, number, lot) for number, ids in enumerate(of_awards) for lot in ids
        ]
        return True

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
                *self._moment(bid.get("date")),
                ids[0] if len(tenderers) == len(ids) == 1 else None,
                json.dumps(ids) if ids else None,
            )
        )
        self._rows["bid_tenderers"] += [(process, place, id) for id in ids]

    def _add_award(self, process: int, place: int, award: dict[str, Any], *, is_undone: bool) -> None:
        fixed = self._preparation
        status = _code(award.get("status", fixed.defaults_award_status))
        status = fixed.codelists_award_status.get(status or "", status)
        self._note_status("award", status, AWARD_STATUSES)
        if is_undone:
            status = "cancelled"
        suppliers = _list(award.get("suppliers"))
        ids = self._ids(suppliers)
        self._rows["awards"].append(
            (
                process,
                place,
                status,
                len(suppliers),
                ids[0] if len(suppliers) == len(ids) == 1 else None,
                json.dumps(ids) if ids else None,
            )
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
        if value is None:
            return None
        if not isinstance(value, Digits):
            self._taken.unused["AMOUNT_NOT_A_NUMBER"] += 1
            return None
        amount = float(value)
        if not _is_exact(value, amount):
            self._taken.unused["AMOUNT_INEXACT"] += 1
            return None
        if amount in self._preparation.redactions_amount:
            return None
        self._taken.amounts_not_positive += amount <= 0
        return amount

    def _whole(self, value: Any) -> float | None:
        """Return a count; what is no whole number of a sensible size is missing."""
        if value is None:
            return None
        number = float(value) if isinstance(value, Digits) else math.nan
        if 0 <= number < 2**53 and number == int(number):
            return number
        self._taken.unused["COUNT_NOT_A_NUMBER"] += 1
        return None

    def _moment(self, value: Any) -> tuple[int | None, str | None]:
        at, kind = _moment(value)
        if at is not None and not _EARLIEST <= at < _LATEST:
            self._taken.unused["DATE_IMPOSSIBLE"] += 1
            return None, "unreadable"
        return at, kind

    def _ids(self, organizations: list[Any]) -> list[str]:
        prefix = self._preparation.modifications_prefix_tenderer_or_supplier_id
        return sorted({id for one in organizations if (id := self._id(one, prefix))})

    def _id(self, organization: Any, prefix: str) -> str | None:
        id = _id_of(organization)
        if id is None or id in self._preparation.redactions_organization_id:
            return None
        return id if id.startswith(prefix) else prefix + id

    def _details(self, value: Any) -> str | None:
        details, separator = _code(value), self._preparation.modifications_split_procurement_method_details
        return details.split(separator)[0].rstrip() if details and separator else details


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


def _related_lots(element: dict[str, Any]) -> list[str]:
    """Return the ids of the lots that a bid or award is for."""
    named = element.get("relatedLots") or element.get("relatedLot")
    if not named:
        return []
    found = (
        _id_of(one) or _id_of({"id": one.get("lotId")}) if isinstance(one, dict) else _id_of({"id": one})
        for one in (named if isinstance(named, list) else [named])
    )
    return sorted({id for id in found if id})


def _has_joint(elements: Any, organizations: str) -> bool:
    return any(isinstance(of := one.get(organizations), list) and len(of) > 1 for one in _objects(elements))


def _auction_bids(auctions: Any) -> list[Any] | None:
    """Return the bids in the stages of auctions; None where a release has none."""
    if not isinstance(auctions, list):
        return None
    stages = [stage for one in _objects(auctions) for stage in _objects(one.get("stages"))]
    return [bid for stage in stages for bid in _list(stage.get("bids"))]


def _undone(contracts: Any) -> frozenset[str]:
    """Return the ids of awards of which every contract is cancelled."""
    alive: dict[str, bool] = {}
    for contract in _objects(contracts):
        if award := _id_of({"id": contract.get("awardID")}):
            alive[award] = alive.get(award, False) or contract.get("status") != "cancelled"
    return frozenset(award for award, is_alive in alive.items() if not is_alive)


def _code(value: Any) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, Digits) and value else None


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
