import csv
import io
import json
import shutil
from datetime import date, timedelta

import pytest

from pipelines import audit
from pipelines.casework import offices, suppressions
from pipelines.casework.cases import cases
from pipelines.casework.deliveries import deliveries, results
from pipelines.casework.referrals import referrals
from pipelines.findings import alerts, outbox
from reports import bundle
from reports.delivery_check import faults
from reports.results_list import COLUMNS_ZH


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lots(first, last):
    return [f"L{n:03}" for n in range(first, last)]


def listed(county, on="2026-07-01"):
    return {each.delivery_id: each for each in deliveries.listed(county.store, date.fromisoformat(on))}


def one(county, recipient="housing"):
    """The only delivery of an office."""
    (row,) = county.store.rows("SELECT delivery_id FROM outbox WHERE recipient = ?", recipient)
    return row["delivery_id"]


# ---- the volume brake


def test_the_first_night_of_an_installation_is_never_held(county):
    county.night("2026-06-01", *(county.signal(lot) for lot in lots(0, 100)))
    assert len(county.folders()) == 1


@pytest.mark.parametrize(("new", "is_held"), [(20, False), (21, True)])
def test_twenty_new_signals_may_always_come(county, new, is_held):
    county.night("2026-06-01", county.signal("L000"))
    county.night("2026-06-02", *(county.signal(lot) for lot in lots(0, new + 1)))
    assert (len(county.folders()) == 1) is is_held


@pytest.mark.parametrize(("new", "is_held"), [(30, False), (31, True)])
def test_three_times_the_median_of_the_nights_before_may_come(county, new, is_held):
    so_far = []
    for night, count in enumerate((10, 2, 40), start=1):
        so_far += [county.signal(lot) for lot in lots(len(so_far), len(so_far) + count)]
        county.night(f"2026-06-0{night}", *so_far)
    # the third night brought 40 where 18 would be usual, and waits; its figure counts all the same
    assert [each.hold for each in listed(county).values() if each.state == "held"] == [(40, 20)] * 2
    more = [county.signal(lot) for lot in lots(len(so_far), len(so_far) + new)]
    county.night("2026-06-04", *so_far, *more)
    last = [each for each in listed(county).values() if each.as_of == date(2026, 6, 4)]
    assert {each.state for each in last} == ({"held"} if is_held else {"written"})


def test_only_the_last_thirty_nights_count(county):
    first = [county.signal(lot) for lot in lots(0, 200)]
    county.night("2026-05-01", *first)
    for day in range(30):
        county.night((date(2026, 5, 2) + timedelta(days=day)).isoformat(), *first)
    assert outbox.brake(county.store, date(2026, 6, 1), 21) == outbox.Brake(21, 20)


def test_a_night_in_two_runs_is_one_night(county):
    county.night("2026-06-01", county.signal("L000"))
    county.night("2026-06-02", *(county.signal(lot) for lot in lots(0, 16)))
    assert outbox.brake(county.store, date(2026, 6, 2), 5) is None
    assert outbox.brake(county.store, date(2026, 6, 2), 6) == outbox.Brake(21, 20)


@pytest.fixture
def held(county):
    county.night("2026-06-01", county.signal("L000"))
    county.night("2026-06-02", *(county.signal(lot) for lot in lots(0, 40)))
    return [delivery_id for delivery_id, each in listed(county).items() if each.state == "held"]


def test_what_is_held_is_let_go_by_a_person_with_a_reason_and_then_sent(county, held, by):
    assert len(held) == 2
    with pytest.raises(ValueError, match="needs a reason"):
        deliveries.release(county.store, by())
    assert deliveries.release(county.store, by(reason="新数据源首次接入")) == sorted(held)
    assert len(county.folders()) == 1
    outbox.write(county.home, county.store)
    assert len(county.folders()) == 2
    assert {listed(county)[did].state for did in held} == {"written"}
    assert "新数据源首次接入" in audit.entries(county.store.con)[-1]
    with pytest.raises(ValueError, match="no delivery is held"):
        deliveries.release(county.store, by(reason="again"))


def test_one_of_several_is_let_go(county, held, by):
    assert deliveries.release(county.store, by(reason="r"), held[:1]) == held[:1]
    outbox.write(county.home, county.store)
    assert [listed(county)[did].state for did in held] == ["written", "held"]
    with pytest.raises(ValueError, match="is not held"):
        deliveries.release(county.store, by(reason="r"), held)


def test_what_is_held_is_not_sent_with_the_next_night_either(county, held):
    county.night("2026-06-03", *(county.signal(lot) for lot in lots(0, 40)))
    assert len(county.folders()) == 1
    assert {listed(county)[did].state for did in held} == {"held"}


# ---- sent again, with the same bytes


def test_a_folder_that_was_lost_or_damaged_is_made_again_with_the_same_bytes(county, by, tmp_path):
    county.night("2026-06-01", county.signal(), county.signal("L2"))
    (folder,) = county.folders()
    before = contents(folder)
    delivery_id = one(county)
    shutil.rmtree(folder)
    assert deliveries.resend(county.home, county.store, by(), delivery_id) == folder
    assert contents(folder) == before
    (folder / "alerts.csv").write_bytes(b"damaged")
    deliveries.resend(county.home, county.store, by(), delivery_id)
    assert contents(folder) == before
    copy = deliveries.resend(county.home, county.store, by(), delivery_id, tmp_path / "stick")
    assert copy.parent == tmp_path / "stick"
    assert contents(copy) == before
    assert sum('"resend"' in entry for entry in audit.entries(county.store.con)) == 3


def test_a_whole_folder_is_left_as_it_is(county, by):
    county.night("2026-06-01", county.signal())
    (folder,) = county.folders()
    stamp = (folder / "alerts.csv").stat().st_mtime_ns
    deliveries.resend(county.home, county.store, by(), one(county))
    assert (folder / "alerts.csv").stat().st_mtime_ns == stamp


def test_a_later_version_of_the_software_sends_the_bytes_of_then_or_nothing(
    county, by, monkeypatch, tmp_path
):
    county.night("2026-06-01", county.signal())
    (folder,) = county.folders()
    before = contents(folder)
    monkeypatch.setattr(outbox, "FORMAT_VERSION", "99")
    copy = deliveries.resend(county.home, county.store, by(), one(county), tmp_path / "stick")
    assert contents(copy) == before
    (folder / "alerts.csv").unlink()
    (folder / "MANIFEST.json").write_bytes(b"{}")
    with pytest.raises(ValueError, match="another version"):
        deliveries.resend(county.home, county.store, by(), one(county))


def test_what_is_still_held_cannot_be_sent_again(county, held, by):
    with pytest.raises(ValueError, match="was not sent yet"):
        deliveries.resend(county.home, county.store, by(), held[0])
    with pytest.raises(ValueError, match="no delivery nowhere"):
        deliveries.resend(county.home, county.store, by(), "nowhere")


# ---- corrected


@pytest.fixture
def now(county, monkeypatch):
    def show(*signals):
        monkeypatch.setattr(alerts, "current", lambda home, store: county.current(*signals))

    return show


def test_a_correction_is_a_new_delivery_that_names_the_old_and_both_stay(county, now, by):
    county.night("2026-06-01", county.signal(accounts=1), county.signal("L2"))
    old = one(county)
    before = contents(county.folders()[0])
    county.night("2026-06-02", county.signal(accounts=1), county.signal("L2"))
    now(county.signal(accounts=1))
    new = deliveries.correct(county.home, county.store, by(reason="L2 已撤回"), old)
    outbox.write(county.home, county.store)
    first, second = county.folders()
    assert contents(first) == before
    manifest = json.loads((second / "MANIFEST.json").read_text())
    assert (manifest["delivery_id"], manifest["supersedes"], manifest["rows"]) == (new, old, 1)
    assert faults(contents(second)) == []
    assert listed(county)[old].superseded_by == new
    assert listed(county)[new].supersedes == old
    with pytest.raises(ValueError, match=f"corrected by {new}"):
        deliveries.correct(county.home, county.store, by(reason="r"), old)


def test_the_same_key_corrects_once(county, now, by):
    county.night("2026-06-01", county.signal(), county.signal("L2"))
    old = one(county)
    now(county.signal())
    made = {deliveries.correct(county.home, county.store, by(reason="r", key="k"), old) for _ in range(2)}
    assert len(made) == 1


def test_evidence_that_a_correction_told_is_not_told_again_by_the_night(county, now, by):
    county.night("2026-06-01", county.signal(accounts=1))
    now(county.signal(accounts=2))
    deliveries.correct(county.home, county.store, by(reason="数值更正"), one(county))
    assert "housing" not in county.night("2026-06-02", county.signal(accounts=2))
    assert "housing" in county.night("2026-06-03", county.signal(accounts=3))


def test_what_no_longer_belongs_to_an_office_leaves_its_list(county, now, by):
    county.project_types["L2"] = "A01"
    county.night("2026-06-01", county.signal(), county.signal("L2"))
    county.project_types["L2"] = "A07"
    now(county.signal(), county.signal("L2"))
    delivery_id = deliveries.correct(county.home, county.store, by(reason="L2 属水利局"), one(county))
    outbox.write(county.home, county.store)
    assert listed(county)[delivery_id].rows == 1


def test_an_office_that_was_told_twice_has_nothing_to_correct_either(county, now, by):
    county.night("2026-06-01", county.signal())
    given = {"on": date(2026, 6, 2), "ends_on": date(2026, 6, 3), "code": "data_error", "lot_id": "L1"}
    suppressions.add(county.store, by(reason="r"), **given)
    county.night("2026-06-04", county.signal())
    now(county.signal())
    again = county.folders()[-1].name.split("_")[1]
    with pytest.raises(ValueError, match="would read the same"):
        deliveries.correct(county.home, county.store, by(reason="r"), again)


def test_without_a_change_there_is_nothing_to_correct(county, now, by):
    county.night("2026-06-01", county.signal())
    now(county.signal())
    with pytest.raises(ValueError, match="would read the same"):
        deliveries.correct(county.home, county.store, by(reason="r"), one(county))
    with pytest.raises(ValueError, match="needs a reason"):
        deliveries.correct(county.home, county.store, by(), one(county))


# ---- the check of a folder


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda folder: (folder / "alerts.csv").write_bytes(b"x"), "alerts.csv was changed"),
        (lambda folder: (folder / "alerts.jsonl").unlink(), "alerts.jsonl is missing"),
        (lambda folder: (folder / "more.txt").write_text("x"), "more.txt does not belong to the delivery"),
        (lambda folder: (folder / "SM3SUMS").unlink(), "SM3SUMS is missing"),
        (lambda folder: (folder / "CHECKPOINT").write_text("x"), "the checkpoint in the manifest"),
        (lambda folder: (folder / "MANIFEST.json").write_text("[]"), "MANIFEST.json cannot be read"),
    ],
)
def test_a_folder_that_was_changed_is_told_from_one_that_was_not(county, spoil, fault):
    county.night("2026-06-01", county.signal())
    (folder,) = county.folders()
    assert faults(contents(folder)) == []
    spoil(folder)
    assert any(fault in told for told in faults(contents(folder)))


def test_a_folder_that_was_rewritten_with_its_sums_still_has_the_wrong_number(county):
    county.night("2026-06-01", county.signal())
    whole = contents(county.folders()[0])
    manifest = json.loads(whole["MANIFEST.json"])
    record = json.loads(whole["alerts.jsonl"]) | {"ev_hash": "0" * 16}
    files = {name: whole[name] for name in ("alerts.csv", "alerts.xlsx")}
    files["alerts.jsonl"] = json.dumps(record).encode() + b"\n"
    forged = bundle.sealed(
        {key: manifest[key] for key in manifest if key not in ("files", "checkpoint")},
        files,
        manifest["checkpoint"],
    )
    (fault,) = faults(forged)
    assert "the manifest says" in fault


# ---- who has not answered


def test_after_ten_working_days_an_answer_is_overdue_but_none_is_awaited_for_copies(county):
    county.night("2026-06-01", county.signal())  # a Monday
    # ten working days later it is 15 June; 19 to 21 June 2026 are a holiday
    assert not any(each.is_late for each in listed(county, "2026-06-15").values())
    late = [each.recipient for each in listed(county, "2026-06-16").values() if each.is_late]
    assert late == ["housing"]


# ---- results to all members


@pytest.fixture
def outcome(county, by):
    """Carries a case to its outcome, through a referral to an office or filed by the own office."""

    def reach(id, outcome, recipient="housing", power="HOUSING-A01", at="2026-06-10T02:00:00+00:00"):
        with county.store.transaction() as con:
            con.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (id, f"lot {id}"))
        store = county.store

        def step(verb, given=None, actor="张三", reason="r"):
            referrals.answer(store, by(actor=actor, reason=reason, at=at), id, verb, given or {})

        step("take")
        step("confirm", {"second officer": "李四"})
        if recipient is None:
            step("file", {"document": "修发改立〔2026〕1号"})
        else:
            referrals.draft(store, by(reason="r", at=at), id, recipient, power, ["A01"])
            step("approve", actor="王五")
            step("send", {"document": f"修发改函〔2026〕{id[1:]}号"})
            step("accept")
        step("feedback", {"outcome": outcome})

    return reach


def test_results_go_to_every_member_once(county, outcome, by):
    county.night("2026-06-01", county.signal())
    outcome("C1", "罚款 2 万元")
    outcome("C2", "不予处罚", recipient=None)
    made = results.send(county.store, by(), date(2026, 6, 30), {})
    assert len(made) == len(offices.members(county.store.reference))
    outbox.write(county.home, county.store)
    folder = next(path for path in county.folders("water"))
    rows = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text(encoding="utf-8-sig"))))
    assert [(row["办理单位"], row["移送文号/立案文号"], row["处理结果"]) for row in rows] == [
        ("住房和城乡建设局", "修发改函〔2026〕1号", "罚款 2 万元"),
        ("本部门", "修发改立〔2026〕1号", "不予处罚"),
    ]
    assert tuple(rows[0]) == tuple(COLUMNS_ZH.values())
    assert faults(contents(folder)) == []
    assert results.send(county.store, by(), date(2026, 6, 30), {}) == []
    outcome("C3", "警告")
    assert len(results.send(county.store, by(), date(2026, 6, 30), {})) == len(
        offices.members(county.store.reference)
    )
    outbox.write(county.home, county.store)
    later = [json.loads((path / "MANIFEST.json").read_text())["rows"] for path in county.folders("water")]
    assert sorted(later) == [1, 2]


def test_a_penalty_of_the_records_goes_to_every_member_once(county, by):
    county.night("2026-06-01", county.signal())
    ban = dict.fromkeys(COLUMNS_ZH, "") | {
        "scope": "样例甲公司 X1",
        "outcome": "禁止投标；自 2026-06-01 起",
        "noted_on": "2026-06-01",
    }
    assert len(results.send(county.store, by(), date(2026, 6, 30), {"X1 1 ban": ban})) == len(
        offices.members(county.store.reference)
    )
    assert results.send(county.store, by(), date(2026, 6, 30), {"X1 1 ban": ban}) == []
    outbox.write(county.home, county.store)
    (folder,) = county.folders("court")
    (row,) = csv.DictReader(io.StringIO((folder / "results.csv").read_text(encoding="utf-8-sig")))
    assert (row["标段/事项"], row["处理结果"]) == ("样例甲公司 X1", "禁止投标；自 2026-06-01 起")


def test_clues_about_persons_in_office_are_not_passed_round(county, outcome, by):
    county.night("2026-06-01", county.signal())
    outcome("C1", "处分", recipient="discipline", power="DISCIPLINE-18")
    assert results.send(county.store, by(), date(2026, 6, 30), {}) == []


def test_results_noted_after_the_day_wait(county, outcome, by):
    county.night("2026-06-01", county.signal())
    outcome("C1", "警告", at="2026-06-30T16:30:00+00:00")  # half past midnight on 1 July in Shanghai
    assert results.send(county.store, by(), date(2026, 6, 30), {}) == []
    assert len(results.send(county.store, by(), date(2026, 7, 1), {})) == len(
        offices.members(county.store.reference)
    )


def test_a_delivery_of_results_is_sent_again_with_the_same_bytes_and_expects_no_answer(county, outcome, by):
    county.night("2026-06-01", county.signal())
    outcome("C1", "警告")
    results.send(county.store, by(), date(2026, 6, 11), {})
    outbox.write(county.home, county.store)
    (folder,) = county.folders("water")
    before = contents(folder)
    shutil.rmtree(folder)
    deliveries.resend(county.home, county.store, by(), one(county, "water"))
    assert contents(folder) == before
    assert not listed(county, "2027-01-01")[one(county, "water")].is_late
    manifest = {key: value for key, value in json.loads(before["MANIFEST.json"]).items() if key != "files"}
    other = before["results.jsonl"].replace("警告".encode(), "罚款".encode())
    forged = bundle.sealed(
        manifest, {"results.csv": before["results.csv"], "results.jsonl": other}, manifest["checkpoint"]
    )
    assert "what is in it makes delivery" in faults(forged)[0]


def test_no_step_on_a_delivery_moves_a_case(county, now, by):
    county.night("2026-06-01", county.signal(), county.signal("L2"))
    now(county.signal())
    deliveries.correct(county.home, county.store, by(reason="r"), one(county))
    (case,) = county.store.rows("SELECT id FROM case_ WHERE scope = 'L1'")
    assert cases.case_of(county.store.con, case["id"]).rev == 0
