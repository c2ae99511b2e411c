"""The table schema, checked by Great Expectations on the typed rows of one batch.

This is the only place that decides which rows are refused. Columns that conversion adds
(``unread``, ``<column>_check``, the facts) are judged by the same suite as everything else.
Imported only inside the child process: great_expectations costs about six seconds to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig

from pipelines.intake.schema import Expectation, TableSchema, table_schemas

#: GX is given at most this many rows at a time, so that memory stays bounded.
BATCH_ROWS = 500_000

_CHECKS = {
    "party_code": (
        (
            "form",
            "critical",
            "CODE_FORM",
            "{c} is not a unified social credit code (18 characters)",
            "{zh}不是18位统一社会信用代码",
        ),
        (
            "check_digit",
            "critical",
            "CHECK_DIGIT",
            "the check digit of {c} does not fit (GB 32100)",
            "{zh}校验码不符（GB 32100）",
        ),
        ("old", "warning", "OLD_CODE", "{c} is an old 9- or 15-digit number", "{zh}为旧版9位或15位编号"),
    ),
    "id_number": (
        (
            "check_digit",
            "warning",
            "ID_CHECK_DIGIT",
            "the check digit of {c} does not fit (GB 11643)",
            "{zh}校验码不符（GB 11643）",
        ),
    ),
    "region": (
        (
            "unknown",
            None,
            "UNKNOWN_REGION",
            "{c} is not a region code (GB/T 2260)",
            "{zh}不是有效行政区域代码（GB/T 2260）",
        ),
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What one expectation found in one batch.

    Attributes:
        expectation: the expectation.
        checked: rows that it looked at.
        positions: rows of the batch that it names, shape (k,), ascending.
    """

    expectation: Expectation
    checked: int
    positions: np.ndarray


@cache
def suite(table: str, checked_columns: tuple[tuple[str, str], ...]) -> tuple[Expectation, ...]:
    """Return every expectation of a table: those its types bring and those its schema adds.

    Args:
        table: name of the table.
        checked_columns: (column, type) for which conversion made a ``<column>_check``.
    """
    schema = table_schemas()[table]
    expectations = [
        Expectation(
            type="expect_column_values_to_be_null",
            kwargs={"column": "unread"},
            severity="critical",
            code="UNREADABLE_VALUE",
            reason="a value cannot be read",
            reason_zh="存在无法识别的值",
            column="unread",
        ),
        Expectation(
            type="expect_column_values_to_be_null",
            kwargs={"column": "unread_optional"},
            severity="warning",
            code="TAKEN_AS_EMPTY",
            reason="a value cannot be read and is taken as empty",
            reason_zh="存在无法识别的值，按空值处理",
            column="unread_optional",
        ),
    ]
    expectations += [
        Expectation(
            type="expect_column_values_to_not_be_null",
            kwargs={"column": column.name},
            severity="critical",
            code="MISSING_VALUE",
            reason=f"{column.name} is empty and is required",
            reason_zh=f"{column.zh}为必填项，但为空",
            column=column.name,
        )
        for column in schema.columns.values()
        if column.required
    ]
    for name, kind in checked_columns:
        column = schema.columns[name]
        for word, severity, code, reason, reason_zh in _CHECKS[kind]:
            expectations.append(
                Expectation(
                    type="expect_column_values_to_not_be_in_set",
                    kwargs={"column": f"{name}_check", "value_set": [word]},
                    severity=severity or column.on_unknown,
                    code=code,
                    reason=reason.format(c=name, zh=column.zh),
                    reason_zh=reason_zh.format(c=name, zh=column.zh),
                    column=name,
                )
            )
    return (*expectations, *schema.expectations)


def check(schema: TableSchema, checked_columns: tuple[tuple[str, str], ...], rows: pa.Table) -> list[Outcome]:
    """Run the suite of ``schema`` on one batch of typed rows.

    Raises:
        RuntimeError: an expectation could not be evaluated, which is a fault of the schema.
    """
    expectations = suite(schema.table, checked_columns)
    frame = _frame(rows, expectations)
    definition, batches = _definition(schema.table, checked_columns)
    result = batches.get_batch({"dataframe": frame}).validate(
        definition, result_format={"result_format": "COMPLETE", "include_unexpected_rows": False}
    )
    found = {outcome.expectation_config.meta["place"]: outcome for outcome in result.results}
    outcomes = []
    for place, expectation in enumerate(expectations):
        outcome = found[place]
        if outcome.exception_info and outcome.exception_info.get("raised_exception"):
            raise RuntimeError(f"{schema.table}: {expectation.code}: {outcome.exception_info}")
        positions = np.asarray(outcome.result.get("unexpected_index_list") or [], dtype=np.int64)
        outcomes.append(Outcome(expectation, len(frame), np.sort(positions)))
    return outcomes


def _frame(rows: pa.Table, expectations: tuple[Expectation, ...]) -> pd.DataFrame:
    """The columns that the suite looks at; money as float64, which is enough to compare with limits."""
    wanted = {
        str(name)
        for expectation in expectations
        for key, name in expectation.kwargs.items()
        if key in ("column", "column_A", "column_B")
    }
    frame = {}
    for name in sorted(wanted):
        array = rows.column(name)
        is_decimal = pa.types.is_decimal(array.type)
        frame[name] = (array.cast(pa.float64()) if is_decimal else array).to_pandas()
    return pd.DataFrame(frame, index=pd.RangeIndex(rows.num_rows))


def warm() -> None:
    """Load everything that takes time, so that forked children need not.

    Documents come by the hundred, each in its own child: the suites of their tables are prepared too.
    """
    _context()
    for schema in table_schemas().values():
        if schema.secret_until == "owner":
            _definition(schema.table, ())


@cache
def _context() -> EphemeralDataContext:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@cache
def _definition(table: str, checked_columns: tuple[tuple[str, str], ...]):  # type: ignore[no-untyped-def]
    context = _context()
    name = f"{table} {len(checked_columns)} {hash(checked_columns)}"
    definition = gx.ExpectationSuite(
        name=name,
        expectations=[
            {"type": e.type, "kwargs": dict(e.kwargs), "severity": e.severity, "meta": {"place": place}}
            for place, e in enumerate(suite(table, checked_columns))
        ],
    )
    source = context.data_sources.add_pandas(name)
    batches = source.add_dataframe_asset(name=table).add_batch_definition_whole_dataframe(table)
    return context.suites.add(definition), batches
