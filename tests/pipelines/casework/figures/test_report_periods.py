from datetime import date

import pytest

from pipelines.casework.figures import report_periods


@pytest.mark.parametrize(("half", "first", "last"), [(1, (1, 1), (6, 30)), (2, (7, 1), (12, 31))])
def test_a_half_year(half, first, last):
    found = report_periods.half_year(2026, half, date(2027, 1, 1))
    assert (found.first, found.last, found.until) == (
        date(2026, *first),
        date(2026, *last),
        date(2026, *last),
    )


def test_a_period_that_runs_is_counted_until_today_and_one_that_has_not_begun_not_at_all():
    assert report_periods.whole_year(2026, date(2026, 3, 4)).until == date(2026, 3, 4)
    with pytest.raises(ValueError, match="not begun"):
        report_periods.half_year(2026, 2, date(2026, 6, 30))
    with pytest.raises(ValueError, match="halves"):
        report_periods.half_year(2026, 3, date(2026, 6, 30))
