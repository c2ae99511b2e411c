import json
import sqlite3
from datetime import date, datetime

import pytest

from pipelines import settings
from pipelines.casework.acts import Act
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.clocks.periods import DelayKind
from pipelines.casework.complaints import complainants, complaints
from pipelines.casework.complaints.complainants import Complainant
from pipelines.casework.complaints.complaints import ReceivedComplaint
from pipelines.casework.complaints.ledger import ledger
from pipelines.casework.complaints.states import (
    CLOCKS,
    STATE_CODES,
    STEPS,
    ComplaintState,
    Regime,
    possible,
    step_of,
)
from pipelines.store import opened
from pipelines.times import LOCAL

NAME, PHONE = "欧阳测试", "13912345678"
WHO = Complainant(NAME, f"{PHONE}, ouyang@example.com")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL).isoformat()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "keys" / "home.key"))
    return settings.Home(tmp_path / "home").prepare()


@pytest.fixture
def desk(home):
    with opened(home.control) as store:
        yield Desk(home, store)


class Desk:
    """A desk that handles complaints; times are those of Shanghai."""

    def __init__(self, home, store):
        self.home, self.store = home, store

    def act(self, reason="", key=None, written="2026-12-31 10:00", actor="李四"):
        return Act(actor=actor, at=at(written), reason=reason, key=key)

    def receive(self, when="2026-06-01 10:00", regime=Regime.TENDERING, who=WHO, act=None, **values):
        intake = ReceivedComplaint(
            **{
                "regime": regime,
                "channel": "offline",
                "received_at": at(when),
                "office": "housing",
                "item": 4,
                "respondent_type": 1,
                "respondent": "",
                "tender_id": "",
                "project": "某道路工程",
                "lot_id": "L1",
                "has_objected": True,
                **values,
            }
        )
        return complaints.receive(self.home, self.store, act or self.act(), intake, who)

    def do(self, id, verb, when, reason="依法办理", **given):
        return complaints.move(self.home, self.store, self.act(reason), id, verb, given, done_at=at(when))

    def entry(self, id, day):
        return next(each for each in ledger(self.store, date.fromisoformat(day)) if each.id == id)

    def clocks(self, id):
        rows = self.store.rows(
            "SELECT d.rule, e.outcome FROM deadline AS d LEFT JOIN deadline_end AS e ON e.deadline = d.number"
            " WHERE d.object = ? ORDER BY d.rule, d.number",
            id,
        )
        return [tuple(row) for row in rows]


def handled(desk, regime=Regime.TENDERING):
    id = desk.receive(regime=regime)
    desk.do(id, "sign", "2026-06-01 11:00")
    desk.do(id, "accept", "2026-06-03 10:00")
    return id


def test_a_complaint_is_numbered_by_the_year_in_which_it_came(desk):
    ids = [
        desk.receive("2026-06-01 10:00"),
        desk.receive("2026-06-02 10:00"),
        desk.receive("2025-12-31 23:30"),
    ]
    assert ids == ["TS-2026-0001", "TS-2026-0002", "TS-2025-0001"]
    assert desk.entry("TS-2026-0002", "2026-06-02").complainant == "投诉人-2026-0002"


def test_the_way_of_a_complaint_from_receipt_to_decision(desk):
    id = handled(desk)
    assert desk.clocks(id) == [("TS02", "met"), ("TS03", None)]
    entry = desk.entry(id, "2026-07-13")
    # counted from the receipt, Jun 1: Jul 14, see test_due_dates
    assert (entry.decision.due.due_on, entry.warning) == (date(2026, 7, 14), Stage.ONE_DAY)
    desk.do(id, "decide", "2026-07-13 16:00", conclusion="2", document="修住建投〔2026〕1号")
    desk.do(id, "serve", "2026-07-14 09:00")
    desk.do(id, "publish", "2026-07-15 09:00")
    entry = desk.entry(id, "2026-07-20")
    assert (entry.state, entry.conclusion, entry.document) == (
        ComplaintState.DECIDED,
        2,
        "修住建投〔2026〕1号",
    )
    assert entry.decision.stage is Stage.MET
    assert entry.warning is entry.clock is None


def test_clocks_of_government_procurement(desk):
    id = desk.receive(regime=Regime.PROCUREMENT, office="finance")
    assert desk.clocks(id) == [("ZC04", None), ("ZC06", None), ("ZC07a", None)]
    desk.do(id, "sign", "2026-06-01 11:00")
    desk.do(id, "ask-correction", "2026-06-04 10:00")
    desk.do(id, "corrected", "2026-06-09 10:00")
    desk.do(id, "accept", "2026-06-10 10:00")
    desk.do(id, "copies", "2026-06-10 15:00")
    desk.do(id, "decide", "2026-07-01 10:00", conclusion="3", document="修财购投〔2026〕1号")
    assert desk.clocks(id) == [("ZC04", "met"), ("ZC04", "met"), ("ZC06", "met"), ("ZC07a", "met")]


def test_a_refusal_starts_the_time_to_notify_and_voids_the_other_clocks(desk):
    id = desk.receive(regime=Regime.PROCUREMENT)
    desk.do(id, "sign", "2026-06-01 11:00")
    desk.do(id, "refuse", "2026-06-05 10:00")
    assert desk.clocks(id) == [("ZC04", "met"), ("ZC05", None), ("ZC06", "void"), ("ZC07a", "void")]
    desk.do(id, "notify", "2026-06-10 10:00", document="修财购不受〔2026〕1号")
    assert ("ZC05", "met") in desk.clocks(id)
    assert complaints.delays(desk.store, 2026, date(2026, 12, 31)) == []


def test_a_withdrawal_is_granted_or_denied_by_a_person(desk):
    id = handled(desk)
    desk.do(id, "withdraw", "2026-06-10 10:00")
    desk.do(id, "deny", "2026-06-11 10:00")
    assert desk.entry(id, "2026-06-11").state is ComplaintState.NOT_WITHDRAWN
    assert ("TS03", None) in desk.clocks(id)
    desk.do(id, "withdraw", "2026-06-12 10:00")
    assert desk.do(id, "grant", "2026-06-12 11:00") == "withdrawn"
    assert ("TS03", "lapsed") in desk.clocks(id)


def test_a_complaint_is_struck_out_only_before_it_is_accepted(desk):
    id = desk.receive()
    desk.do(id, "cancel", "2026-06-02 10:00", reason="重复登记")
    assert desk.clocks(id) == [("TS02", "void"), ("TS03", "void")]
    with pytest.raises(ValueError, match="'cancel' is not possible in state handling"):
        desk.do(handled(desk), "cancel", "2026-06-20 10:00")


def test_every_step_that_is_not_listed_is_refused_and_the_possible_ones_are_named():
    verbs = {step.verb for step in STEPS}
    refused = 0
    for regime in Regime:
        for state in ComplaintState:
            legal = {step.verb for step in possible(state, regime)}
            for verb in verbs - legal:
                with pytest.raises(ValueError, match="possible: ") as error:
                    step_of(state, regime, verb)
                assert all(f"{step.verb} ({step.zh})" in str(error.value) for step in possible(state, regime))
                refused += 1
    assert refused > 200


def test_a_refused_step_changes_nothing(desk):
    id = desk.receive()
    with pytest.raises(ValueError, match=r"possible: sign \(签收\), cancel \(撤销\)"):
        desk.do(id, "decide", "2026-06-02 10:00", conclusion="1", document="d")
    assert desk.entry(id, "2026-06-02").state is ComplaintState.ARRIVED
    assert desk.store.rows("SELECT * FROM complaint_event") == []


def test_states_carry_the_numbers_of_the_platforms():
    assert [
        STATE_CODES[state]
        for state in (
            ComplaintState.ARRIVED,
            ComplaintState.REFUSED,
            ComplaintState.DECIDED,
            ComplaintState.CANCELLED,
        )
    ] == [
        1,
        3,
        5,
        9,
    ]


def test_every_step_with_a_clock_is_a_step():
    for steps in CLOCKS.values():
        assert set(steps) - {"receive"} <= {step.verb for step in STEPS}


def test_a_complaint_that_nobody_took_in_is_listed_as_deemed_accepted_and_keeps_its_state(desk):
    id = desk.receive("2026-06-01 10:00")  # due Thu Jun 4
    assert not desk.entry(id, "2026-06-04").is_deemed_accepted
    late = desk.entry(id, "2026-06-05")
    assert (late.is_deemed_accepted, late.state, late.warning) == (
        True,
        ComplaintState.ARRIVED,
        Stage.OVERDUE,
    )
    desk.do(id, "sign", "2026-06-08 10:00")
    desk.do(id, "accept", "2026-06-08 10:00")
    assert not desk.entry(id, "2026-06-08").is_deemed_accepted
    ((office, delay),) = complaints.delays(desk.store, 2026, date(2026, 6, 30))
    assert (office, delay.kind, delay.days_late) == ("housing", DelayKind.ACCEPTANCE, 2)


def test_delays_are_counted_by_office(desk):
    desk.receive()
    desk.receive(office="water")
    id = desk.receive(office="water")
    desk.do(id, "sign", "2026-06-01 11:00")
    desk.do(id, "accept", "2026-06-04 10:00")
    found = complaints.delays(desk.store, 2026, date(2026, 7, 15))
    assert [(office, delay.kind) for office, delay in found] == [
        ("housing", DelayKind.ACCEPTANCE),
        ("housing", DelayKind.NOT_CONCLUDED),
        ("water", DelayKind.ACCEPTANCE),
        ("water", DelayKind.NOT_CONCLUDED),
        ("water", DelayKind.NOT_CONCLUDED),
    ]


def test_time_of_an_appraisal_does_not_count(desk):
    id = handled(desk)
    desk.do(id, "suspend", "2026-06-08 09:00", ground="appraisal")
    assert desk.entry(id, "2026-07-20").warning is Stage.SUSPENDED
    desk.do(id, "resume", "2026-06-15 09:00")
    entry = desk.entry(id, "2026-06-15")
    assert entry.decision.due.due_on == date(2026, 7, 21)
    assert entry.suspensions == (("鉴定", date(2026, 6, 8), date(2026, 6, 15)),)
    with pytest.raises(ValueError, match="grounds: inspection 检验"):
        desk.do(id, "suspend", "2026-06-16 09:00", ground="holiday")


@pytest.mark.parametrize(
    ("verb", "given", "message"),
    [
        ("decide", {"document": "d"}, "needs: conclusion"),
        ("decide", {"conclusion": "1"}, "needs: document"),
        ("decide", {"conclusion": "4", "document": "d"}, "'4' is none of 1 属实, 2 部分属实, 3 不属实"),
    ],
)
def test_a_decision_needs_its_conclusion_and_its_document(desk, verb, given, message):
    with pytest.raises(ValueError, match=message):
        desk.do(handled(desk), verb, "2026-06-20 10:00", **given)


def test_steps_go_forward_in_time_and_not_into_the_future(desk):
    id = handled(desk)
    with pytest.raises(ValueError, match="2026-06-02 lies before what it follows, on 2026-06-03"):
        desk.do(id, "decide", "2026-06-02 10:00", conclusion="1", document="d")
    with pytest.raises(ValueError, match="is in the future"):
        desk.do(id, "decide", "2027-06-02 10:00", conclusion="1", document="d")
    with pytest.raises(ValueError, match="is in the future"):
        desk.receive("2027-06-01 10:00")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"item": 7}, "item: 7 is none of 1 招标文件"),
        ({"respondent_type": 0}, "respondent type: 0 is none of"),
        ({"channel": "phone"}, "channel: 'phone' is none of online 线上"),
        ({"office": " "}, "name the office"),
        ({"respondent": "王某"}, "is no party id"),
    ],
)
def test_an_intake_that_cannot_be_is_refused(desk, values, message):
    with pytest.raises(ValueError, match=message):
        desk.receive(**values)
    assert desk.store.rows("SELECT * FROM complaint") == []


def test_a_complaint_is_linked_to_cases_without_becoming_one(desk):
    id = desk.receive()
    with desk.store.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'L1')")
    complaints.link(desk.home, desk.store, desk.act(), id, "C1")
    assert desk.entry(id, "2026-06-01").cases == ("C1",)
    assert desk.store.rows("SELECT state FROM case_")[0]["state"] == "new"
    with pytest.raises(ValueError, match="linked already"):
        complaints.link(desk.home, desk.store, desk.act(), id, "C1")
    with pytest.raises(ValueError, match="needs: reason"):
        complaints.unlink(desk.home, desk.store, desk.act(), id, "C1")
    complaints.unlink(desk.home, desk.store, desk.act("另一标段"), id, "C1")
    assert desk.entry(id, "2026-06-01").cases == ()
    assert len(desk.store.rows("SELECT * FROM complaint_case")) == 1
    with pytest.raises(ValueError, match="no case C9"):
        complaints.link(desk.home, desk.store, desk.act(), id, "C9")


def test_the_same_key_takes_a_complaint_in_once(desk):
    ids = [desk.receive(act=desk.act(key="k1")) for _ in range(2)]
    assert ids == ["TS-2026-0001"] * 2
    assert len(desk.store.rows("SELECT * FROM complaint")) == 1
    with pytest.raises(ValueError, match="used for another step"):
        desk.receive(act=desk.act(key="k1"), who=Complainant("另一人", ""))


def test_a_complaint_that_does_not_exist_is_refused(desk):
    with pytest.raises(ValueError, match="no complaint TS-2026-0009"):
        desk.do("TS-2026-0009", "sign", "2026-06-02 10:00")


def test_who_complained_is_sealed_and_stands_nowhere_in_clear(desk):
    id = handled(desk)
    desk.do(id, "suspend", "2026-06-08 09:00", ground="appraisal")
    complaints.reveal(desk.home, desk.store, desk.act("核实联系方式"), id)
    desk.store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path for path in desk.home.root.rglob("*") if path.is_file()]
    assert {"control.sqlite", "vault.sqlite"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        for secret in (NAME, PHONE, "ouyang@example.com"):
            assert secret.encode() not in content, path.name
    dumped = "\n".join(desk.store.con.iterdump())
    assert "投诉人-2026-0001" in dumped
    assert NAME not in dumped
    assert PHONE not in dumped


def test_to_see_who_complained_is_a_step_of_its_own(desk):
    id = desk.receive()
    assert complaints.reveal(desk.home, desk.store, desk.act("联系投诉人"), id) == WHO
    entry = json.loads(desk.store.rows("SELECT body FROM audit ORDER BY seq DESC LIMIT 1")[0]["body"])
    assert (entry["verb"], entry["object"], entry["reason"]) == ("reveal_complainant", id, "联系投诉人")
    before = len(desk.store.rows("SELECT * FROM audit"))
    with pytest.raises(ValueError, match="needs a reason"):
        complaints.reveal(desk.home, desk.store, desk.act(), id)
    with pytest.raises(ValueError, match="needs an actor"):
        complaints.reveal(desk.home, desk.store, desk.act("r", actor=" "), id)
    assert len(desk.store.rows("SELECT * FROM audit")) == before


@pytest.mark.parametrize(
    "reason",
    [
        "欧阳测试来电说明",
        "欧阳 测试来电",
        "联系电话13912345678",
        "联系电话 139-1234-5678",
        "邮件 OUYANG@example.com",
    ],
)
def test_a_text_that_tells_who_complained_is_refused(desk, reason):
    id = desk.receive()
    with pytest.raises(ValueError, match="write 投诉人-2026-0001 instead") as error:
        desk.do(id, "cancel", "2026-06-02 10:00", reason=reason)
    assert NAME not in str(error.value)
    with pytest.raises(ValueError, match="this tells who complained"):
        desk.receive(project=reason)
    with pytest.raises(ValueError, match="this tells who complained"):
        desk.receive(act=desk.act(reason))
    assert desk.do(id, "cancel", "2026-06-02 10:00", reason="投诉人-2026-0001来电撤回") == "cancelled"


def test_a_report_without_a_name_is_taken(desk):
    id = desk.receive(who=Complainant("", ""))
    assert desk.do(id, "sign", "2026-06-02 10:00") == "taken_in"
    assert complaints.reveal(desk.home, desk.store, desk.act("r"), id) == Complainant("", "")


def test_two_complaints_of_one_person_have_nothing_equal_in_the_vault(desk):
    desk.receive()
    desk.receive()
    con = sqlite3.connect(desk.home.vault)
    sealed = [row[0] for row in con.execute("SELECT sealed FROM complainant").fetchall()]
    con.close()
    assert len(sealed) == len(set(sealed)) == 2


def test_another_key_opens_nothing(desk, tmp_path):
    desk.receive()
    with pytest.raises(ValueError, match="sealed with another key"):
        complainants.unseal(desk.home.vault, b"\1" * 32, "投诉人-2026-0001")
    with pytest.raises(ValueError, match="does not hold 投诉人-2026-0009"):
        complainants.unseal(desk.home.vault, b"\1" * 32, "投诉人-2026-0009")


def test_an_intake_that_broke_off_leaves_its_code_name_to_the_next(desk, monkeypatch):
    def breaks(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.audit.append", breaks)
        with pytest.raises(RuntimeError):
            desk.receive(who=Complainant("甲某某", ""))
    id = desk.receive()
    assert complaints.reveal(desk.home, desk.store, desk.act("r"), id) == WHO
