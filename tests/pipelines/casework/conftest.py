"""A control store with cases, and people who work on them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from detectors import registry
from detectors.interface import Status
from pipelines import publishing, settings
from pipelines.casework import suppressions
from pipelines.casework.acts import Act
from pipelines.casework.cases import opening
from pipelines.findings import alerts, outbox
from pipelines.findings.matters import Kind, Matter
from pipelines.findings.routing import LotFacts, load_division
from pipelines.findings.signals import Signal, fingerprint
from pipelines.reference import Reference
from pipelines.store import opened
from reports.alert_list import Alert

AT = "2026-06-30T02:00:00+00:00"


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        with store.transaction() as con:
            con.execute(
                "INSERT INTO snapshot (id, as_of, manifest, logical_hash, published_at)"
                " VALUES ('s1', '2026-06-30', '{}', '', ?)",
                (AT,),
            )
        yield store


@pytest.fixture
def case(store):
    """Opens a case with one signal and returns its id."""

    def open_(id="C1", state="new", lot=None):
        with store.transaction() as con:
            con.execute(
                "INSERT INTO case_ (id, scope, state) VALUES (?, ?, ?)", (id, lot or f"lot {id}", state)
            )
            con.execute(
                "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of, case_id)"
                " VALUES (?, 'prices.ladder', 1, ?, '[\"A\",\"B\"]', 's1', '2026-06-30', ?)",
                (f"S{id}", lot or f"lot {id}", id),
            )
            con.execute(
                "INSERT INTO evidence (fp, ev_hash, n, snapshot, detector_version, limits_version, body)"
                " VALUES (?, ?, 1, 's1', 'd', 'l', '{}')",
                (f"S{id}", f"e{id}"),
            )
        return id

    return open_


@pytest.fixture
def by():
    """An act of somebody at 02:00 UTC on 30 June 2026."""

    def act(actor="张三", reason="", key=None, at=AT):
        return Act(actor=actor, at=at, reason=reason, key=key)

    return act


class County:
    """Nights without a snapshot: signals given by hand go through the queue and the outbox as in a real night."""

    def __init__(self, home, store):
        self.home, self.store = home, store
        self.detectors = [
            replace(loaded, facts=replace(loaded.facts, status=Status.TEST))
            for loaded in registry.load()
            if loaded.id in ("contacts.deposit_account", "prices.ladder")
        ]
        self.project_types = {}
        self.division = load_division(Reference())
        self.shown = None

    def signal(self, lot="L1", entities=("A", "B"), detector="contacts.deposit_account", **facts):
        """A signal about a lot, or about several (``lot="L1;L2"``)."""
        several = ";" in lot
        scope = "/".join(entities) if several else lot
        measured = {**facts, "lot_ids": lot} if several else facts
        return Signal(
            fingerprint(detector, 1, scope, entities),
            detector,
            1,
            scope,
            None if several else lot,
            tuple(sorted(entities)),
            measured,
            (),
        )

    def matters(self, signals):
        """One matter per lot."""
        by_scope = {}
        for signal in signals:
            by_scope.setdefault(signal.lot_id or signal.scope, []).append(signal)
        return [
            Matter(
                Kind.LOT,
                scope,
                of[0].entities,
                of[0].lots,
                tuple(s.fp for s in of),
                1.0,
                None,
                {"families": {}},
            )
            for scope, of in by_scope.items()
        ]

    def row(self, signal):
        """Its row of the alert list."""
        return Alert(
            alert_id=signal.fp,
            level="红",
            family="关联关系",
            detector=signal.detector,
            finding_zh="（疑似线索）",
            legal_zh="条例",
            project_type="A01",
            tender_id="T1",
            tender_name="样例工程",
            lot_id=";".join(signal.lots),
            lot_name=None,
            deal_code=None,
            buyer_name=None,
            buyer_code=None,
            agency_name=None,
            agency_code=None,
            opened_at=datetime(2026, 1, 5, 1, 30, tzinfo=UTC),
            bidders=5,
            ceiling_price_cny=Decimal("1000000.10"),
            winner_name=None,
            award_price_cny=None,
            party_names=signal.entities,
            party_codes=("911100006000373416", "91410821MA0000000A")[: len(signal.entities)],
            key_facts_zh=str(signal.facts),
            grade="A",
            score=None,
            source_zh="x.csv",
            source_at=None,
            alerted_at=date(2026, 6, 30),
            supervisor_name=None,
            supervisor_code=None,
            suggestion_zh="",
            due_on=None,
        )

    def current(self, *signals):
        """What `alerts.current` would say."""
        lots = sorted({lot for signal in signals for lot in signal.lots})
        facts = [
            LotFacts(
                lot_id=lot,
                project_type=self.project_types.get(lot, "A01"),
                region_code="410821",
                supervisor_code=None,
                supervisor_name=None,
            )
            for lot in lots
        ]
        return alerts.Current(
            {signal.fp: signal for signal in signals},
            {signal.fp: self.row(signal) for signal in signals},
            SimpleNamespace(for_routing=lambda: facts, lots={lot: {} for lot in lots}),
            self.division,
            {each.id: each for each in self.detectors},
        )

    def night(self, as_of, *signals):
        """One night; returns recipient -> the fingerprints that went into its list."""
        day = date.fromisoformat(as_of)
        shown = self.shown = self.current(*signals)
        prepared = outbox.prepare(
            self.store,
            signals,
            shown.rows,
            shown.facts,
            self.detectors,
            day,
            self.division,
            suppressions.agreed(self.store),
        )
        with self.store.transaction() as con:
            con.execute("INSERT INTO snapshot VALUES (?, ?, '{}', '', ?)", (f"n{as_of}", as_of, AT))
            con.execute("INSERT OR REPLACE INTO current (one, snapshot) VALUES (1, ?)", (f"n{as_of}",))
            cases = opening.assign(con, self.matters(signals), f"n{as_of}")
            strengths = dict.fromkeys(cases, 1.0)
            known = {each.id: each for each in self.detectors}
            new = publishing._write_signals(con, list(signals), cases, strengths, known, f"n{as_of}", day)
            held = outbox.brake(self.store, day, new) if prepared else None
            outbox.enqueue(con, prepared, f"n{as_of}", day, at=AT, actor="night", held=held)
            night = publishing.Night(as_of, "published", f"n{as_of}", new_signals=new, held=held)
            publishing._write_night(con, night, AT)
        outbox.write(self.home, self.store)
        return {each.recipient: {fp for fp, _ in each.evidence} for each in prepared}

    def folders(self, recipient="housing"):
        """The folders that stand in the outbox for an office."""
        return sorted((self.home.outbox / recipient).glob("[!.]*"))


@pytest.fixture
def county(tmp_path):
    home = settings.Home(tmp_path / "home").prepare()
    with opened(home.control) as store:
        yield County(home, store)
