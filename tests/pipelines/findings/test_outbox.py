import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from detectors import registry
from detectors.interface import Status
from pipelines import audit
from pipelines.findings import alerts, outbox
from pipelines.findings.routing import LotFacts, load_division
from pipelines.findings.signals import Signal
from pipelines.reference import Reference
from pipelines.store import opened
from reports.alert_list import Alert
from reports.canonical_json import canonical_json

AN_ALERT = Alert(
    alert_id="SAAAAAAAAAAAAAAAA",
    level="红",
    family="关联关系",
    detector="contacts.deposit_account",
    finding_zh="不同投标人保证金由同一账户转出（疑似线索）",
    legal_zh="《招标投标法实施条例》第四十条第（六）项",
    project_type="A01",
    tender_id="T1",
    tender_name="样例工程",
    lot_id="L1",
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
    party_names=("样例甲公司", "样例乙公司"),
    party_codes=("A", ""),
    key_facts_zh="=1+1",
    grade="A",
    score=None,
    source_zh="x.csv",
    source_at=None,
    alerted_at=date(2026, 6, 30),
    supervisor_name=None,
    supervisor_code=None,
    suggestion_zh="",
    due_on=date(2026, 7, 3),
)


def test_an_alert_survives_the_way_through_the_store():
    from dataclasses import asdict

    again = alerts.restored(json.loads(canonical_json(asdict(AN_ALERT))))
    assert again.ceiling_price_cny == Decimal("1000000.10")
    assert again.opened_at == AN_ALERT.opened_at
    assert (again.alerted_at, again.due_on, again.party_names) == (
        date(2026, 6, 30),
        date(2026, 7, 3),
        AN_ALERT.party_names,
    )


def test_a_delivery_made_again_has_the_same_bytes(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        row = a_delivery(store)
        once, again = outbox.files(row), outbox.files(row)
    assert once == again
    assert set(once) >= {"alerts.csv", "alerts.xlsx", "alerts.jsonl", "MANIFEST.json", "CHECKPOINT"}
    assert once["CHECKPOINT"].startswith(b"bidwatch/audit\n")


def test_what_a_delivery_says_does_not_depend_on_later_nights(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        before = outbox.files(a_delivery(store))
        with store.transaction() as con:
            audit.append(con, at="2026-07-01T00:00:00+00:00", actor="tester", verb="look", subject="x")
        assert outbox.files(store.rows("SELECT * FROM outbox")[0]) == before


@pytest.mark.parametrize(
    ("status", "told"), [(Status.TEST, ["development-reform", "housing"]), (Status.EXPERIMENTAL, [])]
)
def test_what_an_experimental_detector_sees_is_sent_to_nobody(tmp_path, status, told):
    (loaded,) = (detector for detector in registry.load() if detector.id == AN_ALERT.detector)
    loaded = replace(loaded, facts=replace(loaded.facts, status=status))
    signal = Signal(AN_ALERT.alert_id, loaded.id, 1, "L1", "L1", ("A",), {}, ())
    lot = LotFacts(
        lot_id="L1", project_type="A01", region_code="410821", supervisor_code=None, supervisor_name=None
    )
    facts = SimpleNamespace(for_routing=lambda: [lot])
    with opened(tmp_path / "control.sqlite") as store:
        prepared = outbox.prepare(
            store,
            [signal],
            {signal.fp: AN_ALERT},
            facts,
            [loaded],
            date(2026, 6, 30),
            load_division(Reference()),
            [],
        )
    assert [delivery.recipient for delivery in prepared] == told


def a_delivery(store):
    from dataclasses import asdict

    evidence = [(AN_ALERT.alert_id, "e1")]
    prepared = outbox.PreparedDelivery(
        delivery_id="d1",
        recipient="housing",
        evidence=evidence,
        alerts=canonical_json([asdict(AN_ALERT)]),
        records=canonical_json(
            [{"alert_id": AN_ALERT.alert_id, "lot_id": "L1", "detector": AN_ALERT.detector, "ev_hash": "e1"}]
        ),
        facts=canonical_json(
            {
                "name_zh": "住房和城乡建设局",
                "detectors": {AN_ALERT.detector: {"version": "v", "limits_version": "l"}},
            }
        ),
    )
    with store.transaction() as con:
        con.execute("INSERT INTO snapshot VALUES ('s1', '2026-06-30', '{}', 'h', 't')")
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'L1')")
        con.execute(
            "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of, case_id)"
            " VALUES (?, ?, 1, 'L1', '[]', 's1', '2026-06-30', 'C1')",
            (AN_ALERT.alert_id, AN_ALERT.detector),
        )
        outbox.enqueue(
            con, [prepared], "s1", date(2026, 6, 30), at="2026-06-30T00:00:00+00:00", actor="tester"
        )
    return store.rows("SELECT * FROM outbox")[0]
