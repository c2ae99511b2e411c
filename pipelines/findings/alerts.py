"""From signals to the rows of the alert list: the lot, the firms, the sentence, the law in force."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal

import duckdb

from detectors import registry
from detectors.registry import Loaded
from pipelines import duck
from pipelines.findings import matters, routing
from pipelines.findings.matters import Matter
from pipelines.findings.signals import Signal
from pipelines.reference import Reference
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import COLUMNS, LEVEL_BY_GRADE, Alert

SUGGESTIONS_ZH = {
    "A": "建议初核：调取原始文件核对，听取当事人说明",
    "B": "建议核查：结合其他证据综合判断",
    "C": "供参考：单独不足以说明问题，建议与其他线索比对",
}


class SnapshotFacts:
    """What the snapshot knows about lots and firms, for those of tonight's signals and matters."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, signals: Sequence[Signal], found: Iterable[Matter] = ()
    ) -> None:
        found = list(found)
        lots = sorted(
            {lot for signal in signals for lot in signal.lots}
            | {lot for matter in found for lot in matter.lots}
        )
        parties = sorted(
            {party for signal in signals for party in signal.entities}
            | {party for matter in found for party in matter.firms}
        )
        self.lots = _by_first(
            con,
            """
            WITH winners AS (
                SELECT b.lot_id, min(b.bidder_id) AS winner_id, min(b.price_cny) AS price_cny
                FROM core.bids AS b WHERE b.is_winner GROUP BY b.lot_id
            ),
            awarded AS (
                SELECT lot_id, min(winner_id) AS winner_id, min(price_cny) AS price_cny
                FROM core.awards GROUP BY lot_id
            ),
            counted AS (SELECT lot_id, count(*) AS bidders FROM core.bids GROUP BY lot_id)
            SELECT l.lot_id, l.project_type, l.tender_id, l.tender_name, l.lot_name, l.deal_code, l.buyer_name,
                   l.buyer_code, l.agency_name, l.agency_code, l.opening_at, l.opened_on, l.region_code, l.procurement_regime,
                   l.ceiling_price_cny, l.supervisor_name, l.supervisor_code, n.bidders,
                   p.name AS winner_name, coalesce(a.price_cny, w.price_cny) AS award_price_cny
            FROM core.lots AS l
            LEFT JOIN counted AS n ON n.lot_id = l.lot_id
            LEFT JOIN winners AS w ON w.lot_id = l.lot_id
            LEFT JOIN awarded AS a ON a.lot_id = l.lot_id
            LEFT JOIN core.parties AS p ON p.party_id = coalesce(a.winner_id, w.winner_id)
            WHERE l.lot_id IN (SELECT unnest($ids))
            """,
            lots,
        )
        self.parties = _by_first(
            con,
            "SELECT party_id, coalesce(name, party_id) AS name, party_code FROM core.parties"
            " WHERE party_id IN (SELECT unnest($ids))",
            parties,
        )

    def for_routing(self) -> list[routing.LotFacts]:
        """Return what routing needs to know of these lots."""
        fields = ("lot_id", "project_type", "region_code", "supervisor_code", "supervisor_name")
        return [routing.LotFacts(**{name: lot[name] for name in fields}) for lot in self.lots.values()]  # type: ignore[arg-type]


def alert(
    signal: Signal,
    detector: Loaded,
    facts: SnapshotFacts,
    laws: Mapping[str, list[Mapping[str, str]]],
    as_of: date,
    source: str,
    strength: float | None,
) -> Alert:
    """Return the row of the alert list for one signal; ``strength`` in nats, see `pipelines.findings.strength`.

    What is known of a lot stands there only for a signal about one lot; others list their lots.
    """
    lot = facts.lots.get(signal.lot_id or "", {})
    named = [facts.parties.get(party, {"name": party, "party_code": None}) for party in signal.entities]
    shown = asdict(detector.limits) | signal.facts  # type: ignore[call-overload]
    opened_on = lot.get("opened_on")
    return Alert(
        alert_id=signal.fp,
        level=LEVEL_BY_GRADE[detector.facts.grade],
        family=detector.family.title_zh,
        detector=detector.id,
        finding_zh=f"{detector.facts.title_zh}（疑似线索）",
        legal_zh=legal_text(detector, laws, lot, opened_on if isinstance(opened_on, date) else as_of),
        key_facts_zh=detector.facts.says_zh.format(**shown),
        grade=str(detector.facts.grade),
        score=strength,
        source_zh=source,
        source_at=None,
        alerted_at=as_of,
        suggestion_zh=SUGGESTIONS_ZH[detector.facts.grade],
        due_on=None,
        party_names=tuple(str(party["name"]) for party in named),
        party_codes=tuple(str(party["party_code"] or "") for party in named),
        opened_at=lot.get("opening_at") or opened_on,  # type: ignore[arg-type]
        lot_id=_listed(signal.lots),
        **{name: lot.get(name) for name in _FROM_LOT},  # type: ignore[arg-type]
    )


def rows(
    store: Store,
    found: Sequence[Signal],
    facts: SnapshotFacts,
    detectors: Sequence[Loaded],
    as_of: date,
    strengths: Mapping[str, float] | None = None,
) -> dict[str, Alert]:
    """Return the row of the alert list for every signal, by fingerprint.

    Args:
        store: the control store.
        found: the signals.
        facts: about their lots and firms.
        detectors: that raised them.
        as_of: the day of the alerts.
        strengths: of the signals by fingerprint, before the store has them.
    """
    if strengths is None:
        strengths = {
            row["fp"]: row["strength"]
            for row in store.rows("SELECT fp, strength FROM signal WHERE strength IS NOT NULL")
        }
    known = {detector.id: detector for detector in detectors}
    laws = load_laws()
    names = {row["raw_sha"]: row["name"] for row in store.rows("SELECT raw_sha, name FROM file")}
    listed = {}
    for signal in found:
        if signal.detector not in known:
            raise ValueError(
                f"alert {signal.fp} was raised by {signal.detector}, which is no longer here;"
                " run `bidwatch nightly` to screen again"
            )
        files = sorted({names[raw_sha] for _, raw_sha, _, _ in signal.sources})
        source = "；".join(files[:3]) + (f" 等{len(files)}个文件" if len(files) > 3 else "")
        listed[signal.fp] = alert(
            signal, known[signal.detector], facts, laws, as_of, source, strengths.get(signal.fp)
        )
    return listed


@dataclass(frozen=True)
class Current:
    """What the current snapshot shows: signals and rows of the alert list by fingerprint, its lots and firms.

    ``division`` says who is in charge of which lots; ``detectors`` are those in force, with their limits;
    ``matters`` what there is of every case, by its id.
    """

    signals: dict[str, Signal]
    rows: dict[str, Alert]
    facts: SnapshotFacts
    division: routing.Division
    detectors: dict[str, Loaded]
    matters: dict[str, Matter] = field(default_factory=dict)


def current(home: Home, store: Store) -> Current:
    """Return every signal of the current snapshot with its row of the alert list.

    Raises:
        FileNotFoundError: nothing is published yet.
    """
    snapshot = store.published_snapshot()
    as_of = date.fromisoformat(store.rows("SELECT as_of FROM snapshot WHERE id = ?", snapshot)[0]["as_of"])
    found, shown = standing(store), matters.standing(store)
    con = duck.open_snapshot(home.snapshot(snapshot))
    try:
        facts = SnapshotFacts(con, found, shown.values())
    finally:
        con.close()
    detectors = registry.load(local=home.reference.local)
    listed = rows(store, found, facts, detectors, as_of)
    division = routing.load_division(home.reference)
    return Current(
        {signal.fp: signal for signal in found},
        listed,
        facts,
        division,
        {each.id: each for each in detectors},
        shown,
    )


def standing(store: Store) -> list[Signal]:
    """Return the signals of the current snapshot with their last evidence, as the control store has them."""
    return [
        Signal.restored(
            row["fp"],
            row["detector"],
            row["identity_version"],
            row["scope"],
            tuple(json.loads(row["entities"])),
            row["body"],
            row["lot_id"],
        )
        for row in store.rows(
            "SELECT s.*, e.body FROM signal AS s"
            " JOIN evidence AS e ON e.fp = s.fp AND e.n = (SELECT max(n) FROM evidence WHERE fp = s.fp)"
            " WHERE s.is_current = 1 ORDER BY s.fp"
        )
    ]


def _listed(lots: Sequence[str]) -> str | None:
    """Return the lots as one short text for people; all of them stand in the exact record."""
    return "；".join(lots[:3]) + (f" 等{len(lots)}个标段" if len(lots) > 3 else "") or None


_FROM_LOT = (
    "project_type",
    "tender_id",
    "tender_name",
    "lot_name",
    "deal_code",
    "buyer_name",
    "buyer_code",
    "agency_name",
    "agency_code",
    "bidders",
    "ceiling_price_cny",
    "winner_name",
    "award_price_cny",
    "supervisor_name",
    "supervisor_code",
)


def load_laws() -> dict[str, list[Mapping[str, str]]]:
    """Return the versions of every legal basis by its id."""
    laws: dict[str, list[Mapping[str, str]]] = {}
    for row in Reference().rows("legal_basis.csv"):
        laws.setdefault(row.values["basis_id"], []).append(row.values)
    return laws


def legal_text(
    detector: Loaded, laws: Mapping[str, list[Mapping[str, str]]], lot: Mapping[str, object], on: date
) -> str:
    """Return the instruments and articles behind a detector that bind this lot, as in force on ``on``.

    A rule for one regime or region is cited only where the lot is known to be in it. Where the day of
    effect is not in the reference table, the citation says so.
    """
    day = on.isoformat()
    return "；".join(
        f"《{law['instrument']}》{law['article']}{'' if law['valid_from'] else '（施行日期待核）'}"
        for basis in detector.facts.legal_basis
        for law in laws[basis]
        if law["valid_from"] <= day
        and (not law["valid_to"] or day <= law["valid_to"])
        and law["regime"] in ("", lot.get("procurement_regime"))
        and str(lot.get("region_code") or "").startswith(_inside(law["region_code"]))
    )


def _inside(region_code: str) -> str:
    """Return the digits that every region inside this one begins with."""
    return re.sub("(0000|00)$", "", region_code)


def record(signal: Signal, detector: Loaded, row: Alert) -> dict[str, object]:
    """Return the exact record of a signal for ``alerts.jsonl``."""
    return {
        "alert_id": signal.fp,
        "detector": signal.detector,
        "detector_version": detector.version,
        "limits_version": detector.limits_version,
        "limits": asdict(detector.limits),  # type: ignore[call-overload]
        "grade": str(detector.facts.grade),
        "lot_id": signal.lot_id,
        "lot_ids": list(signal.lots),
        "scope": signal.scope,
        "entities": list(signal.entities),
        "ev_hash": signal.ev_hash,
        "facts": signal.facts,
        "sources": [
            {"column": cell, "raw_sha256": raw_sha, "section": section, "row": raw_row}
            for cell, raw_sha, section, raw_row in signal.sources
        ],
        "finding_zh": row.finding_zh,
        "legal_zh": row.legal_zh,
        "key_facts_zh": row.key_facts_zh,
    }


def restored(values: Mapping[str, object]) -> Alert:
    """Return the ``Alert`` whose canonical JSON was read back."""
    known = dict(values)
    for column in COLUMNS:
        value = known.get(column.key)
        if isinstance(value, list):
            known[column.key] = tuple(value)
        elif isinstance(value, str) and column.kind == "money":
            known[column.key] = Decimal(value)
        elif isinstance(value, str) and column.kind in ("time", "date"):
            known[column.key] = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    return Alert(**known)  # type: ignore[arg-type]


def _by_first(con: duckdb.DuckDBPyConnection, sql: str, ids: list[str]) -> dict[str, dict[str, object]]:
    result = con.execute(sql, {"ids": ids})
    names = [column[0] for column in result.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}
