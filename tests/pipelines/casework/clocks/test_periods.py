"""The periods of the law: all are there, each with its basis."""

import pytest

from pipelines.casework.clocks import periods
from pipelines.casework.clocks.periods import DelayKind, PeriodKind, Unit


def test_every_period_of_the_law_is_there_with_its_basis():
    table = (
        "TS01 TS02 TS03 YY01 YY02 ZC01 ZC02 ZC03 ZC04 ZC05 ZC06 ZC07 ZC08 YS01 YS02 YS03 YS04 YS05 YS06 YS07 YS08"
        " YS09 YS10 YS11 YS12 XC01 SJ01 CF01 CF02 CF03 CF04 CF05 ZB01 ZB02 ZB03 ZB04 ZB05"
    )
    assert {id[:4] for id in periods.rules()} == set(table.split())
    for rule in periods.rules().values():
        assert rule.basis
        assert all((rule.starts_zh, rule.starts_en, rule.act_zh, rule.act_en, rule.duty_zh))
        assert rule.extends is None or rule.extends in periods.rules()
        assert set(rule.stops) <= set(periods.GROUNDS_ZH)
        assert not (rule.moves and rule.unit is not Unit.DAY)


def test_what_was_not_checked_is_marked():
    assert {id for id, rule in periods.rules().items() if not rule.seen} == {
        "YS10a",
        "YS10b",
        "SJ01b",
        "CF04",
    }


def test_an_unknown_period_is_refused():
    with pytest.raises(ValueError, match="no period 'TS9'"):
        periods.rule_of("TS9")


def test_delays_are_those_of_article_10():
    accept, decide = periods.rule_of("TS02"), periods.rule_of("TS03")
    assert accept.late(is_done=True) == accept.late(is_done=False) == DelayKind.ACCEPTANCE
    assert (decide.late(is_done=True), decide.late(is_done=False)) == (
        DelayKind.HANDLING,
        DelayKind.NOT_CONCLUDED,
    )
    assert periods.rule_of("ZC06").late(is_done=False) == DelayKind.HANDLING
    assert periods.rule_of("YS01").late(is_done=False) == DelayKind.OTHER
    assert {id for id, rule in periods.rules().items() if rule.kind is PeriodKind.CONCLUSION} == {
        "TS03",
        "ZC07a",
    }


def test_lengths_are_said_in_both_languages():
    rule = periods.rule_of("ZB04")
    assert (rule.length_zh, rule.length_en) == ("不少于20日", "at least 20 days")
    assert (periods.rule_of("TS02").length_zh, periods.rule_of("YS02").length_zh) == ("3个工作日", "24小时")
