"""The tables of a report in their order.

Everything is counted as it was at the end of the period: what happened later does not change a report.
"""

from __future__ import annotations

from pipelines.casework.figures import case_tables, duty_tables
from pipelines.casework.figures.report_periods import ReportPeriod
from pipelines.store import Store
from reports.figures_report import FigureTable


def tables(store: Store, period: ReportPeriod) -> list[FigureTable]:
    """Return every table of a report."""
    return [
        case_tables.alerts(store, period),
        case_tables.cases(store, period),
        case_tables.outcomes(store, period),
        case_tables.referrals(store, period),
        case_tables.answers(store, period),
        case_tables.assistance(store, period),
        duty_tables.kept_and_missed(store, period),
        duty_tables.complaints_handled(store, period),
        duty_tables.complaint_delays(store, period),
        duty_tables.inspections(store, period),
    ]
