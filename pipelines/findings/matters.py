"""From signals to matters: what people work on is a ring, a group of firms, a firm, a firm and its buyer, or a lot.

Every signal belongs to one matter. Rings that the search found come first and take what their lots and firms show. What is
left and names several firms goes by the firms: signals about the same firms are one matter, however many lots show it.
What names one firm goes by the firm, what names none by the lot.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import duckdb

from detectors.interface import SEPARATOR
from detectors.registry import Loaded
from pipelines.findings import strength
from pipelines.findings.signals import Signal
from pipelines.rings import LIST_Q
from pipelines.store import Store


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

#: A lot is a group's where so much of its bidders are of it; larger lots are no group's.
FILLED_SHARE = 0.6
MOST_FILLED = 30


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


def standing(store: Store) -> dict[str, Matter]:
    """Return what the current snapshot shows of every case, by the id of the case; signals are not read."""
    return {
        row["case_id"]: Matter(
            kind=Kind(row["kind"]),
            scope=row["scope"],
            firms=tuple(json.loads(row["firms"])),
            lots=tuple(json.loads(row["lots"])),
            signals=(),
            score=row["score"],
            q=row["q"],
            facts=json.loads(row["facts"]),
        )
        for row in store.rows("SELECT * FROM matter ORDER BY case_id")
    }


def on_the_list(found: Iterable[Matter]) -> list[Matter]:
    """Return the rings that stand on the list, those with an expected false share of at most `LIST_Q`, the strongest first."""
    listed = [matter for matter in found if matter.q is not None and matter.q <= LIST_Q]
    return sorted(listed, key=lambda matter: (-matter.score, matter.scope))


def expected_false(listed: Sequence[Matter]) -> float:
    """Return how many of the listed rings are expected to be false at most: the largest share times their number."""
    return max((matter.q or 0.0 for matter in listed), default=0.0) * len(listed)


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


@dataclass(frozen=True)
class Gathered:
    """The matters of a night, and the strength of every signal in nats, by fingerprint."""

    matters: list[Matter]
    strengths: dict[str, float]


def gather(
    con: duckdb.DuckDBPyConnection, signals: Sequence[Signal], detectors: Mapping[str, Loaded]
) -> Gathered:
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
        key = (signal.detector, signal.scope, SEPARATOR.join(sorted(signal.entities)))
        share, is_named = seldom.get(key) or seldom[(signal.detector, signal.scope, "")]
        shares[signal.fp] = share
        named[signal.fp] = frozenset(signal.entities) if is_named else frozenset()
    parts = _placed(signals, rings, named, detectors)
    found = [
        _matter(
            kind, scope, members, rings[int(scope)] if kind is Kind.RING else None, named, shares, detectors
        )
        for (kind, scope), members in sorted(parts.items())
    ]
    return Gathered(found, {fp: strength.nats(share) for fp, share in shares.items()})


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
    groups = _Groups([named[signal.fp] for signal in left if len(named[signal.fp]) > 1])
    about = {}
    for signal in left:
        firms = named[signal.fp]
        if detectors[signal.detector].facts.unit in RELATION_UNITS:
            about[signal.fp] = (Kind.RELATION, signal.scope)
        elif len(firms) == 1:
            about[signal.fp] = (Kind.FIRM, min(firms))
        elif group := groups.of(firms) if firms else groups.filling(signal.entities):
            about[signal.fp] = (Kind.FIRMS, group)
    lots_of: dict[tuple[Kind, str], set[str]] = {}
    for signal in left:
        if signal.fp in about:
            lots_of.setdefault(about[signal.fp], set()).update(signal.lots)
    seen = {
        lot: key
        for key, lots in sorted(lots_of.items(), reverse=True)
        if key[0] is Kind.FIRMS
        for lot in lots
    }
    for signal in left:
        key = about.get(signal.fp)
        if key is None or (key[0] in (Kind.FIRM, Kind.FIRMS) and len(lots_of[key]) == 1 and signal.lots):
            # One lot only: the matter is the lot, unless firms that are seen elsewhere are seen in it.
            lot = signal.lots[0] if signal.lots else signal.scope
            wider = seen.get(lot)
            joins = wider is not None and len(lots_of[wider]) > 1 and not named[signal.fp]
            key = wider if joins and wider else (Kind.LOT, lot)
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


class _Groups:
    """Sets of firms that are one group: they have two firms in common, and half of the smaller.

    The most frequent sets lead; who follows joins the first leader that fits, so that groups do not run into each other.
    """

    def __init__(self, sets: Sequence[frozenset[str]]) -> None:
        often = Counter(sets)
        self._leaders: list[frozenset[str]] = []
        self._by_pair: dict[tuple[str, str], list[int]] = {}
        self._found: dict[frozenset[str], str] = {}
        for each in sorted(often, key=lambda one: (-often[one], len(one), sorted(one))):
            leader = self._near(each, 0.5)
            if leader is None:
                leader = each
                for pair in _pairs(each):
                    self._by_pair.setdefault(pair, []).append(len(self._leaders))
                self._leaders.append(each)
            self._found[each] = SEPARATOR.join(sorted(leader))

    def of(self, firms: frozenset[str]) -> str | None:
        """Return the group of a set of firms, as one text."""
        return self._found.get(firms)

    def filling(self, bidders: Sequence[str]) -> str | None:
        """Return the group to which most bidders of a lot belong, as one text."""
        if len(bidders) > MOST_FILLED:
            return None
        leader = self._near(frozenset(bidders), 0.0)
        if leader is None or len(leader & frozenset(bidders)) < FILLED_SHARE * len(bidders):
            return None
        return SEPARATOR.join(sorted(leader))

    def _near(self, firms: frozenset[str], least: float) -> frozenset[str] | None:
        met = Counter(leader for pair in _pairs(firms) for leader in self._by_pair.get(pair, ()))
        for place in sorted(met, key=lambda place: (-met[place], place)):
            leader = self._leaders[place]
            if len(firms & leader) >= least * min(len(firms), len(leader)):
                return leader
        return None


def _pairs(firms: frozenset[str]) -> list[tuple[str, str]]:
    ordered = sorted(firms)
    return [(one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :]]


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
        scope = SEPARATOR.join(sorted(ring.firms))
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
