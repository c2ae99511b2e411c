"""What a row of a filled-in list may say."""

from datetime import date

import pytest

from pipelines.casework.deliveries.answers import Answer, SentAlert, check_rows, moment

SENT = {"SAAAAAAAAAAAAAAAA": SentAlert("d1", date(2026, 7, 1), "未能确定主管部门")}


def checked(said=(), **cells):
    row = {
        "place": "row 2",
        "problem": "",
        "alert_id": "SAAAAAAAAAAAAAAAA",
        "state_zh": "",
        "conclusion_zh": "",
        "reviewer": "",
        "feedback_at": "",
        "note": "",
    } | cells
    return check_rows([row], SENT, dict(said), SENT, "housing")[0]


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("属实", "confirmed"),
        (" 数据 有误。", "data_error"),
        ("lawful_explained", "lawful_explained"),
        ("DUPLICATE", "duplicate"),
        ("主体匹配有误", "wrong_match"),
    ],
)
def test_a_conclusion_is_one_of_the_list_and_means_that_it_was_looked_at(written, label):
    row = checked(conclusion_zh=written)
    assert (row.outcome, row.answer.label, row.answer.state_zh) == ("taken", label, "已核查")


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"conclusion_zh": "基本属实"}, "核查结论 '基本属实' is none of: 属实、"),
        ({"state_zh": "差不多"}, "核查状态 '差不多' is none of: 待核查、"),
        ({"conclusion_zh": "属实", "state_zh": "核查中"}, "there is a conclusion already"),
        ({"conclusion_zh": "属实", "feedback_at": "2026-06-30"}, "lies before the delivery of 2026-07-01"),
        ({"feedback_at": "上周五"}, "is no date"),
        ({"problem": "cell C2 holds a formula"}, "cell C2 holds a formula"),
        ({"alert_id": "", "conclusion_zh": "属实"}, "no alert has this number"),
        ({"alert_id": "SBBBBBBBBBBBBBBBB"}, "no alert has this number"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(cells, problem):
    row = checked(**cells)
    assert row.outcome == "refused"
    assert problem in row.problem


@pytest.mark.parametrize(
    "cells",
    [{}, {"note": "未能确定主管部门"}, {"alert_id": "备注：本表由初核组填写"}],
)
def test_a_row_without_an_answer_is_unchanged(cells):
    assert checked(**cells).outcome == "unchanged"


@pytest.mark.parametrize(
    "written",
    [
        "'SAAAAAAAAAAAAAAAA",
        " saaaaaaaaaaaaaaaa ",
        "ＳＡＡＡＡＡＡＡＡＡＡＡＡＡＡＡＡ",
        "SAAAAAAAA\u200bAAAAAAAA",
    ],
)
def test_an_alerts_number_is_known_in_any_writing(written):
    assert checked(alert_id=written, conclusion_zh="属实").outcome == "taken"


def test_a_remark_alone_is_an_answer():
    assert checked(note="已约谈").answer == Answer(note="已约谈")


def test_two_different_answers_to_one_alert_in_one_list_are_both_refused():
    base = {
        "problem": "",
        "alert_id": "SAAAAAAAAAAAAAAAA",
        "state_zh": "",
        "reviewer": "",
        "feedback_at": "",
        "note": "",
    }
    rows = [
        base | {"place": f"row {n}", "conclusion_zh": text} for n, text in enumerate(["属实", "数据有误", ""])
    ]
    assert [row.outcome for row in check_rows(rows, SENT, {}, SENT, "housing")] == [
        "refused",
        "refused",
        "unchanged",
    ]
    same = [rows[0], rows[0] | {"place": "row 9"}]
    assert [row.outcome for row in check_rows(same, SENT, {}, SENT, "housing")] == ["taken", "unchanged"]


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-06-30", "2026-06-30"),
        ("2026/6/30", "2026-06-30"),
        ("2026.6.30", "2026-06-30"),
        ("2026年6月30日", "2026-06-30"),
        ("２０２６年６月３０日", "2026-06-30"),
        ("2026-06-30 00:00:00", "2026-06-30"),
        ("2026/6/30 9:05", "2026-06-30 09:05"),
        ("2026年6月30日 9时05分", "2026-06-30 09:05"),
        ("2026-06-30T09:05:59", "2026-06-30 09:05"),
        ("20260630", "2026-06-30"),
        ("46203", "2026-06-30"),
        ("46203.5", "2026-06-30 12:00"),
        ("", None),
    ],
)
def test_a_date_is_read_however_it_is_written(written, iso):
    assert moment(written) == iso


@pytest.mark.parametrize("written", ["2026-02-30", "30/6/2026", "6.30", "12345", "2026-6", "明天"])
def test_what_is_no_day_is_refused(written):
    with pytest.raises(ValueError, match="is no date"):
        moment(written)
