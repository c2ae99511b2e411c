import csv
import io
import shutil
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from pipelines import audit
from pipelines.casework.alert_labels import labels
from pipelines.casework.cases import cases
from pipelines.casework.deliveries import deliveries, receipts
from pipelines.casework.deliveries.answers import Answer

ON = date(2026, 7, 3)
COLUMN = {"state": "核查状态", "label": "核查结论", "who": "核查人", "at": "反馈时间", "note": "备注"}


@pytest.fixture
def two(county):
    """Two alerts that housing got on one night, and nothing else; the coordinator has copies."""
    signals = county.signal(), county.signal("L2")
    county.night("2026-07-01", *signals)
    return [signal.fp for signal in signals]


@pytest.fixture
def fill(county, tmp_path):
    """Fills in a delivered list as an officer does, and saves it elsewhere: alert -> what to write."""

    def filled(answers, name="alerts.xlsx", recipient="housing", to="back", keeps_guide=True):
        folder = county.folders(recipient)[-1]
        if name.endswith(".csv"):
            sheets = {"": list(csv.reader(io.StringIO((folder / name).read_text(encoding="utf-8-sig"))))}
        else:
            book = CalamineWorkbook.from_path(str(folder / name))
            sheets = {each: book.get_sheet_by_name(each).to_python() for each in book.sheet_names}
        rows = next(iter(sheets.values()))
        head = rows[0]
        for row in rows[1:]:
            for key, value in answers.get(row[head.index("预警编号")], {}).items():
                row[head.index(COLUMN[key])] = value
        path = tmp_path / to / f"填好{name[-5:]}"
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".csv"):
            with path.open("w", encoding="gb18030", newline="") as file:
                csv.writer(file).writerows(rows)
        else:
            with xlsxwriter.Workbook(path) as made:
                for sheet, cells in list(sheets.items())[: 2 if keeps_guide else 1]:
                    page = made.add_worksheet(sheet)
                    for at, row in enumerate(cells):
                        page.write_row(at, 0, row)
        return path

    return filled


@pytest.fixture
def take(county, by):
    def bring(path, on=ON, **more):
        return receipts.take_back(county.home, county.store, by(at=f"{on}T03:00:00+00:00"), path, on, **more)

    return bring


def outcomes(rows):
    return {row.alert_id: row.outcome for row in rows if row.alert_id}


# ---- a list on its way back


@pytest.mark.parametrize("name", ["alerts.xlsx", "alerts.csv"])
def test_a_list_that_was_filled_in_and_saved_again_is_taken(county, two, fill, take, name):
    answer = {"state": "已核查", "label": "有合法解释", "who": "王某", "at": "2026/7/2", "note": "同一打印店"}
    office, rows, _ = take(fill({two[0]: answer}, name))
    assert office == "housing"
    assert outcomes(rows) == {two[0]: "taken", two[1]: "unchanged"}
    (taken,) = (row for row in rows if row.outcome == "taken")
    assert taken.answer == Answer("已核查", "lawful_explained", "王某", "2026-07-02", "同一打印店")
    (delivery,) = (d for d in deliveries.listed(county.store, ON) if d.recipient == "housing")
    assert (delivery.state, delivery.answered, delivery.rows) == ("answered", 1, 2)


def test_the_same_file_again_changes_nothing(county, two, fill, take):
    path = fill({two[0]: {"label": "属实"}})
    first = take(path)
    log = audit.entries(county.store.con)
    assert take(path) == first
    assert audit.entries(county.store.con) == log
    assert county.store.rows("SELECT count(*) AS n FROM receipt")[0]["n"] == 1


def test_the_same_answer_in_another_file_is_unchanged_and_another_answer_is_a_new_row(
    county, two, fill, take
):
    take(fill({two[0]: {"label": "有价值未查实"}}))
    again = {two[0]: {"label": "有价值未查实"}, two[1]: {"state": "核查中"}}
    assert outcomes(take(fill(again, to="2"))[1]) == {two[0]: "unchanged", two[1]: "taken"}
    changed = {two[0]: {"label": "属实", "who": "王某"}}
    assert outcomes(take(fill(changed, to="3"))[1]) == {two[0]: "taken", two[1]: "unchanged"}
    (case,) = county.store.rows("SELECT case_id FROM signal WHERE fp = ?", two[0])
    said = [row["label"] for row in receipts.answers_to(county.store, case["case_id"])]
    assert said == ["valuable_not_proven", "confirmed"]


def test_an_empty_list_erases_nothing(county, two, fill, take):
    take(fill({two[0]: {"label": "属实"}}))
    assert set(outcomes(take(fill({}, to="2"))[1]).values()) == {"unchanged"}
    assert [label.label for label in labels(county.store, ON)] == ["confirmed"]


def test_the_file_is_kept_as_it_came(county, two, fill, take):
    path = fill({two[0]: {"label": "属实"}})
    take(path)
    (row,) = county.store.rows("SELECT file_sha FROM receipt")
    assert (county.home.raw / row["file_sha"]).read_bytes() == path.read_bytes()


# ---- whose answer it is


def test_the_coordinator_that_has_the_same_alerts_is_known_by_the_number_in_its_workbook(two, fill, take):
    assert take(fill({two[0]: {"label": "属实"}}, recipient="development-reform"))[0] == "development-reform"


def test_without_a_number_the_office_in_charge_answers_and_not_the_one_with_copies(two, fill, take):
    assert take(fill({two[0]: {"label": "属实"}}, keeps_guide=False))[0] == "housing"


def test_the_folder_of_the_delivery_shows_whose_it_is(county, two, fill, take, tmp_path):
    path = fill({two[0]: {"label": "属实"}}, "alerts.csv", recipient="development-reform")
    folder = tmp_path / county.folders("development-reform")[0].name
    folder.mkdir()
    assert take(Path(shutil.copy(path, folder)))[0] == "development-reform"


def test_the_sender_may_be_named_and_must_fit(two, fill, take):
    path = fill({two[0]: {"label": "属实"}}, keeps_guide=False)
    assert take(path, recipient="development-reform")[0] == "development-reform"
    with pytest.raises(ValueError, match="nothing was ever sent to 'moon'"):
        take(path, recipient="moon")
    with pytest.raises(ValueError, match="no delivery 0123456789abcdef"):
        take(path, delivery_id="0123456789abcdef")
    with pytest.raises(ValueError, match="belongs to a delivery to housing"):
        take(fill({}), recipient="development-reform")


def test_a_list_of_unknown_alerts_is_nobodys(county, two, take, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("预警编号,核查结论\nSBBBBBBBBBBBBBBBB,属实\n", encoding="utf-8")
    with pytest.raises(ValueError, match="does not show which office"):
        take(path)
    _, (row,), _ = take(path, recipient="housing")
    assert (row.outcome, row.problem) == ("refused", "no alert has this number 没有此预警编号")


def test_an_alert_of_another_office_is_refused(county, take, tmp_path):
    county.project_types["L2"] = "A07"
    county.night("2026-07-01", county.signal(), county.signal("L2"))
    path = tmp_path / "x.csv"
    path.write_text(f"预警编号,核查结论\n{county.signal('L2').fp},属实\n", encoding="utf-8")
    _, (row,), _ = take(path, recipient="housing")
    assert row.problem.startswith("this alert was never sent to housing")


def test_a_list_that_is_still_held_back_cannot_have_been_answered(county, take, tmp_path):
    county.night("2026-06-01", county.signal("L000"))
    county.night("2026-06-02", *(county.signal(f"L{n:03}") for n in range(40)))
    path = tmp_path / "x.csv"
    path.write_text(f"预警编号,核查结论\n{county.signal('L001').fp},属实\n", encoding="utf-8")
    _, (row,), _ = take(path, recipient="housing")
    assert row.outcome == "refused"


# ---- what becomes of it


def test_an_answer_is_shown_to_the_case_and_moves_nothing(county, two, fill, take, by):
    (case,) = county.store.rows("SELECT case_id FROM signal WHERE fp = ?", two[0])
    cases.move(county.store, by(), case["case_id"], "take", {})
    assert receipts.answered_cases(county.store) == set()
    take(fill({two[0]: {"label": "数据有误"}}))
    assert receipts.answered_cases(county.store) == {case["case_id"]}
    assert cases.case_of(county.store.con, case["case_id"]).state == "reviewing"
    given = {"code": "data_error"}
    cases.move(
        county.store, by(reason="同意", at="2026-07-04T02:00:00+00:00"), case["case_id"], "dismiss", given
    )
    assert receipts.answered_cases(county.store) == set()


def test_labels_are_those_known_on_the_day_with_the_evidence_that_was_seen(county, fill, take, by):
    county.night("2026-07-01", county.signal(accounts=1))
    fp = county.signal().fp
    seen = county.signal(accounts=1).ev_hash
    take(fill({fp: {"label": "有价值未查实", "at": "2026-07-01"}}))
    county.night("2026-07-05", county.signal(accounts=2))
    take(fill({fp: {"label": "属实"}}, to="2"), on=date(2026, 7, 8))
    told = {day: labels(county.store, date(2026, 7, day)) for day in (2, 3, 7, 8)}
    assert told[2] == []  # dated 1 July, and not known before the 3rd
    assert [(each.label, each.ev_hash, each.said_by) for each in told[7]] == [
        ("valuable_not_proven", seen, "housing")
    ]
    assert [(each.label, each.ev_hash) for each in told[8]] == [
        ("confirmed", county.signal(accounts=2).ev_hash)
    ]


def test_an_answer_to_an_earlier_list_is_about_what_stood_in_that_list(county, fill, take):
    county.night("2026-07-01", county.signal(accounts=1))
    path = fill({county.signal().fp: {"label": "属实"}})
    county.night("2026-07-02", county.signal(accounts=2))
    take(path)
    assert [each.ev_hash for each in labels(county.store, ON)] == [county.signal(accounts=1).ev_hash]


def test_decisions_at_the_own_desk_are_labels_until_they_are_taken_back(county, two, by):
    (case,) = county.store.rows("SELECT case_id FROM signal WHERE fp = ?", two[0])

    def step(day, verb, **given):
        cases.move(
            county.store, by(reason="r", at=f"2026-07-0{day}T02:00:00+00:00"), case["case_id"], verb, given
        )

    step(2, "take")
    step(3, "dismiss", code="entity_wrong_match")
    step(5, "reopen")
    assert [(each.label, each.said_by) for each in labels(county.store, date(2026, 7, 4))] == [
        ("wrong_match", "desk")
    ]
    assert labels(county.store, date(2026, 7, 5)) == []
