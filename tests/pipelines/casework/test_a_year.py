"""A year of work in the queue: random people on the lots of the sample county, and nothing unaccounted for."""

import csv
import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from places import SAMPLE

from pipelines import audit
from pipelines.casework.acts import Act
from pipelines.casework.cases.cases import case_of
from pipelines.casework.cases.states import AT_REST, DISMISSALS_ZH, STEPS, CaseState, possible
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.deadlines import all_deadlines
from pipelines.casework.referrals import referrals
from pipelines.store import opened

LOTS = SAMPLE / "truth" / "lots.csv"
FIRST, DAYS = date(2025, 7, 1), 365
PEOPLE = ("张三", "李四", "王五", "赵六", "钱七")
TO = (("police", "POLICE-223"), ("housing", "HOUSING-A01"), ("discipline", "DISCIPLINE-18"))

#: The clock that may run for a referral to the police while its case stands in a state.
CLOCKS = {
    CaseState.DRAFTED: {"YS01"},
    CaseState.APPROVED: {"YS02"},
    CaseState.REFERRED: {"YS05a"},
    CaseState.ACCEPTED: {"YS09"},
    CaseState.NOT_FILED: {"YS06", "YS08"},
    CaseState.RECONSIDERING: {"YS07"},
}


def openings():
    with LOTS.open(encoding="utf-8", newline="") as file:
        lots = [(date.fromisoformat(row["opening_at"][:10]), row["lot_id"]) for row in csv.DictReader(file)]
    return [(day, lot) for day, lot in sorted(lots) if FIRST <= day < FIRST + timedelta(DAYS)]


def act_of(rng, case, at):
    """One step of somebody, as likely wrong as right."""
    step = rng.choice(possible(case.state) if rng.random() < 0.8 else STEPS)
    code = rng.choice(list(DISMISSALS_ZH))
    given = {
        "code": code,
        "second officer": rng.choice(PEOPLE),
        "document": "修发改移〔2026〕1号",
        "outcome": "结果",
        "duplicate of": "C9" if code == "duplicate" else "",
    }
    if code == "insufficient_now":
        given["revisit on"] = "2027-01-01"
    return step.verb, Act(actor=rng.choice(PEOPLE), at=at, reason=rng.choice(["因", ""])), given


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The store after the year, and how many steps were done and refused."""
    rng = random.Random(20250701)
    path = tmp_path_factory.mktemp("year") / "control.sqlite"
    arriving, done, refused = openings(), 0, 0
    with opened(path) as store:
        cases = []
        for number in range(DAYS):
            day = FIRST + timedelta(number)
            while arriving and arriving[0][0] == day:
                _, lot = arriving.pop(0)
                with store.transaction() as con:
                    con.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (f"C{len(cases)}", lot))
                cases.append(f"C{len(cases)}")
            for hour in range(rng.randrange(24) if cases else 0):
                at = datetime(day.year, day.month, day.day, 1, hour * 2, tzinfo=UTC).isoformat()
                case = case_of(store.con, rng.choice(cases))
                verb, act, given = act_of(rng, case, at)
                try:
                    if verb == "draft":
                        referrals.draft(store, act, case.id, *rng.choice(TO), ["A01"])
                    else:
                        referrals.answer(store, act, case.id, verb, given)
                    done += 1
                except ValueError:
                    refused += 1
        yield store, cases, done, refused


def test_enough_happened_to_mean_something(year):
    store, cases, done, refused = year
    assert len(cases) > 100
    assert min(done, refused) > 200
    taken = {(row["before"], row["verb"]) for row in store.rows("SELECT DISTINCT before, verb FROM decision")}
    assert taken == {(str(step.before), step.verb) for step in STEPS}


def test_every_case_is_where_its_decisions_lead(year):
    store, cases, done, _ = year
    states = dict.fromkeys(cases, CaseState.NEW)
    ways = {(step.before, step.verb): step.after for step in STEPS}
    rows = store.rows("SELECT case_id, rev, verb, before, after FROM decision ORDER BY number")
    revs = Counter()
    for row in rows:
        revs[row["case_id"]] += 1
        assert (row["before"], row["rev"]) == (states[row["case_id"]], revs[row["case_id"]])
        states[row["case_id"]] = ways[CaseState(row["before"]), row["verb"]]
    assert len(rows) == done
    assert {case: case_of(store.con, case).state for case in cases} == states


def test_the_log_has_every_step_and_nothing_that_was_refused(year):
    store, _, done, _ = year
    entries = [json.loads(entry) for entry in audit.entries(store.con)]
    rows = store.rows("SELECT case_id, verb, actor, at FROM decision ORDER BY number")
    assert len(entries) == done
    assert [(e["object"], e["verb"], e["actor"], e["at"]) for e in entries] == [tuple(row) for row in rows]
    root = audit.tree_hash([entry.encode() for entry in audit.entries(store.con)])
    assert audit.checkpoint(store.con) == audit.checkpoint_text(done, root)


def test_every_clock_is_explained_by_where_its_case_stands(year):
    store, cases, _, _ = year
    running = {}
    for clock in all_deadlines(store, FIRST + timedelta(DAYS)):
        if clock.outcome is None:
            running.setdefault(clock.object, set()).add(clock.rule.rule_id)
    expected = {}
    for id in cases:
        case = case_of(store.con, id)
        referral = referrals.latest(store.con, id)
        if referral is not None and referral.kind == "police" and case.state in CLOCKS:
            expected[referral.id] = CLOCKS[case.state]
        elif referral is None and case.state is CaseState.ACCEPTED:
            expected[id] = {"CF01"}
    assert running.keys() == expected.keys()
    assert all(len(rules) == 1 and rules <= expected[object] for object, rules in running.items())


def test_no_clock_runs_for_a_case_at_rest_and_every_stopped_one_says_how(year):
    store, cases, _, _ = year
    resting = {id for id in cases if case_of(store.con, id).state in AT_REST}
    own = {row["id"]: row["case_id"] for row in store.rows("SELECT id, case_id FROM referral")}
    for clock in all_deadlines(store, FIRST + timedelta(DAYS)):
        if own.get(clock.object, clock.object) in resting:
            assert clock.outcome in ("met", "lapsed", "void")
        if clock.ended_at is not None:
            assert clock.ended_at >= clock.starts_at


def test_nobody_approved_what_they_proposed(year):
    store, *_ = year
    approved = store.rows("SELECT proposer, approver FROM referral WHERE approver IS NOT NULL")
    assert approved
    assert all(row["proposer"] != row["approver"] for row in approved)


def test_delays_of_the_year_are_those_of_clocks_that_ended_after_their_day(year):
    store, *_ = year
    as_of = FIRST + timedelta(DAYS)
    late = {each.number for of in (2025, 2026) for each in deadlines.delays(store, of, as_of)}
    for clock in all_deadlines(store, as_of):
        if clock.outcome in ("met", "lapsed"):
            assert (clock.number in late) == (clock.ended_at > clock.due.moved_at)
