"""From signals to matters: what people work on is a ring, a group of firms, a firm, a firm and its buyer, or a lot.

Every signal belongs to one matter. Rings that the search found come first and take what their lots and firms show. What is
left and names several firms goes by the firms: signals about the same firms are one matter, however many lots show it.
What names one firm goes by the firm, what names none by the lot.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import duckdb

from detectors.registry import Loaded
from pipelines.findings import strength
from pipelines.findings.signals import Signal


class Kind(StrEnum):
    """What a matter is about."""

    RING = "ring"
    FIRMS = "firms"
    FIRM = "firm"
    RELATION = "relation"
    LOT = "lot"


KINDS_ZH = {
    Kind.RING: "疑似团伙",
    Kind.FIRMS: "企业之间",
    Kind.FIRM: "单个企业",
    Kind.RELATION: "招标人（代理）与企业",
    Kind.LOT: "单个标段",
}

#: Families that the search for rings has counted already.
SEARCHED = ("collusion", "contacts", "documents", "prices")

#: Units of detectors about a firm and somebody it deals with: scope is ``other/firm``.
RELATION_UNITS = ("buyer",)


@dataclass(frozen=True)
class Ring:
    """A ring of the search: see `pipelines.rings.tables`."""

    firms: frozenset[str]
    lots: frozenset[str]
    score: float
    q: float
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Matter:
    """What people work on.

    Attributes:
        kind: what it is about.
        scope: what it is about, in one text: the firms, the firm, the lot.
        firms, lots: all of it, sorted; those of the signals and of the ring.
        signals: fingerprints, sorted.
        score: strength in nats; it orders lists and is no probability.
        q: expected false share of the list of rings down to this one; None for other kinds.
        facts: what gives the score (``families`` in nats), and of a ring what the search says.
    """

    kind: Kind
    scope: str
    firms: tuple[str, ...]
    lots: tuple[str, ...]
    signals: tuple[str, ...]
    score: float
    q: float | None
    facts: Mapping[str, object]


def rings_of(con: duckdb.DuckDBPyConnection) -> list[Ring]:
    """Return the rings of a snapshot, the strongest first."""
    firms: dict[int, set[str]] = {}
    for ring, party in con.execute("SELECT ring, party_id FROM risk.ring_firms").fetchall():
        firms.setdefault(ring, set()).add(party)
    lots: dict[int, set[str]] = {}
    for ring, lot in con.execute("SELECT ring, lot_id FROM risk.ring_lots").fetchall():
        lots.setdefault(ring, set()).add(lot)
    return [
        Ring(
            frozenset(firms[ring]),
            frozenset(lots[ring]),
            score,
            q,
            {
                "by_price": price,
                "by_ties": ties,
                "without": json.loads(parts),
                "clears": json.loads(clears),
                "checks": json.loads(checks),
            },
        )
        for ring, score, q, price, ties, parts, clears, checks in con.execute(
            "SELECT ring, score, q, by_price, by_ties, parts, clears, checks FROM risk.rings ORDER BY ring"
        ).fetchall()
    ]


def gather(
    con: duckdb.DuckDBPyConnection, signals: Sequence[Signal], detectors: Mapping[str, Loaded]
) -> list[Matter]:
    """Return the matters of a night, each signal in one of them.

    Args:
        con: the snapshot, screened and searched for rings.
        signals: of the night.
        detectors: by id.
    """
    seldom = strength.shares(con)
    rings = rings_of(con)
    shares, named = {}, {}
    for signal in signals:
        key = (signal.detector, signal.scope, ";".join(sorted(signal.entities)))
        share, is_named = seldom.get(key) or seldom[(signal.detector, signal.scope, "")]
        shares[signal.fp] = share
        named[signal.fp] = frozenset(signal.entities) if is_named else frozenset()
    parts = _placed(signals, rings, named, detectors)
    found = []
    for (kind, scope), members in sorted(parts.items()):
        ring = rings[int(scope)] if kind is Kind.RING else None
        found.append(_matter(kind, scope, members, ring, named, shares, detectors))
    return found


def _placed(
    signals: Sequence[Signal],
    rings: Sequence[Ring],
    named: Mapping[str, frozenset[str]],
    detectors: Mapping[str, Loaded],
) -> dict[tuple[Kind, str], list[Signal]]:
    """Return the signals of every matter, by kind and scope (of a ring its place in the list)."""
    parts: dict[tuple[Kind, str], list[Signal]] = {(Kind.RING, str(place)): [] for place in range(len(rings))}
    left = []
    for signal in signals:
        place = _ring_of(signal, named[signal.fp], rings)
        if place is None:
            left.append(signal)
        else:
            parts[Kind.RING, str(place)].append(signal)
    groups = _groups([named[signal.fp] for signal in left if len(named[signal.fp]) > 1])
    many = Counter(
        (firms, lot)
        for signal in left
        for firms in (named[signal.fp],)
        if firms
        for lot in set(signal.lots) or {""}
    )
    lots_of: dict[str, set[str]] = {}
    for firms, lot in many:
        scope = groups.get(firms) or min(firms)
        lots_of.setdefault(scope, set()).add(lot)
    by_lot: dict[str, str] = {}
    for signal in left:
        firms = named[signal.fp]
        unit = detectors[signal.detector].facts.unit
        if unit in RELATION_UNITS:
            key = (Kind.RELATION, signal.scope)
        elif len(firms) > 1 and len(lots_of[groups[firms]]) > 1:
            key = (Kind.FIRMS, groups[firms])
        elif len(firms) == 1 and (len(lots_of[min(firms)]) > 1 or signal.lot_id is None):
            key = (Kind.FIRM, min(firms))
        elif firms and signal.lot_id is None and not signal.lots:
            key = (Kind.FIRMS, groups[firms])
        else:
            continue
        parts.setdefault(key, []).append(signal)
        if key[0] is Kind.FIRMS:
            for lot in signal.lots:
                by_lot.setdefault(lot, key[1])
    taken = {signal.fp for members in parts.values() for signal in members}
    for signal in left:
        if signal.fp in taken:
            continue
        lot = signal.lots[0] if signal.lots else signal.scope
        # What a lot shows without naming firms goes with the firms that are seen in it.
        key = (Kind.FIRMS, by_lot[lot]) if lot in by_lot and not named[signal.fp] else (Kind.LOT, lot)
        parts.setdefault(key, []).append(signal)
    return parts


def _ring_of(signal: Signal, firms: frozenset[str], rings: Sequence[Ring]) -> int | None:
    """Return the ring that a signal belongs to: it names two of its firms, or one in its lots, or one of its lots as a whole."""
    best: tuple[int, int, int] | None = None
    for place, ring in enumerate(rings):
        shared = len(firms & ring.firms)
        lots = len(ring.lots.intersection(signal.lots))
        if firms:
            fits = (shared >= 2 and 2 * shared >= len(firms)) or (shared == len(firms) == 1 and lots > 0)
        else:
            fits = lots > 0 and len(signal.lots) == 1
        if fits and (best is None or (-shared, -lots, place) < best):
            best = (-shared, -lots, place)
    return None if best is None else best[2]


def _groups(sets: Sequence[frozenset[str]]) -> dict[frozenset[str], str]:
    """Return the group of each set of firms, as one text: sets with two firms in common that are half of the smaller are one.

    The most frequent sets lead; who follows joins the first leader that fits, so that groups do not run into each other.
    """
    often = Counter(sets)
    leaders: list[frozenset[str]] = []
    by_pair: dict[tuple[str, str], list[int]] = {}
    found: dict[frozenset[str], str] = {}
    for each in sorted(often, key=lambda one: (-often[one], len(one), sorted(one))):
        ordered = sorted(each)
        pairs = [(one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :]]
        near = Counter(leader for pair in pairs for leader in by_pair.get(pair, ()))
        fits = [
            leader
            for leader in sorted(near, key=lambda leader: (-near[leader], leader))
            if 2 * len(each & leaders[leader]) >= min(len(each), len(leaders[leader]))
        ]
        if fits:
            found[each] = ";".join(sorted(leaders[fits[0]]))
            continue
        for pair in pairs:
            by_pair.setdefault(pair, []).append(len(leaders))
        leaders.append(each)
        found[each] = ";".join(ordered)
    return found


def _matter(
    kind: Kind,
    scope: str,
    signals: Sequence[Signal],
    ring: Ring | None,
    named: Mapping[str, frozenset[str]],
    shares: Mapping[str, float],
    detectors: Mapping[str, Loaded],
) -> Matter:
    families = strength.by_family(
        (detectors[signal.detector].family.id, shares[signal.fp]) for signal in signals
    )
    firms = frozenset().union(*(named[signal.fp] for signal in signals)) if ring is None else ring.firms
    lots = {lot for signal in signals for lot in signal.lots} | (ring.lots if ring else set())
    facts: dict[str, object] = {"families": {family: round(nats, 2) for family, nats in families.items()}}
    score = strength.total(families)
    if ring is not None:
        # What the search has counted is not counted again.
        beside = {family: nats for family, nats in families.items() if family not in SEARCHED}
        score = ring.score + strength.total(beside)
        facts = {"families": {family: round(nats, 2) for family, nats in beside.items()}, **ring.facts}
        scope = ";".join(sorted(ring.firms))
    return Matter(
        kind=kind,
        scope=scope,
        firms=tuple(sorted(firms)),
        lots=tuple(sorted(lots)),
        signals=tuple(sorted(signal.fp for signal in signals)),
        score=round(score, 2),
        q=None if ring is None else ring.q,
        facts=facts,
    )
