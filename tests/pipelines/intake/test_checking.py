import datetime as dt
import random

import pyarrow as pa
import pytest

from pipelines import duck
from pipelines.intake import checking
from pipelines.intake.schema import Expectation, TableSchema, table_schemas

#: What each expectation means, said a second time in SQL over the typed rows.
IN_SQL = {
    "expect_column_values_to_be_null": '"{column}" IS NOT NULL',
    "expect_column_values_to_not_be_null": '"{column}" IS NULL',
    "expect_column_values_to_be_in_set": '"{column}" NOT IN ({value_set})',
    "expect_column_values_to_not_be_in_set": '"{column}" IN ({value_set})',
    "expect_column_values_to_be_between": '"{column}" <= {min_value}',
    "expect_column_values_to_match_regex": "NOT regexp_matches(\"{column}\", '{regex}')",
    "expect_column_pair_values_a_to_be_greater_than_b": '"{column_A}" < "{column_B}"',
}
CHECKED = {
    "lots": (("region_code", "region"), ("buyer_code", "party_code")),
    "penalties": (),
    "bids": (("bidder_code", "party_code"), ("agent_id", "id_number"), ("bidder_region_code", "region")),
}
ROWS = 5_000


def as_sql(expectation: Expectation) -> str:
    values = {"value_set": [], **expectation.kwargs}
    values["value_set"] = ", ".join(repr(value) for value in values["value_set"])
    return IN_SQL[expectation.type].format(**values)


def typed_rows(table: str, chance: random.Random) -> pa.Table:
    """Rows as conversion gives them, a fifth of every column empty, good and bad values mixed."""
    schema: TableSchema = table_schemas()[table]
    some = {
        "DECIMAL(20,6)": [-1, 0, 0.000001, 1, 3_000_000_000, 3_000_000_000.01],
        "DATE": [dt.date(2026, 1, day) for day in (1, 2, 3)],
        "BOOLEAN": [True, False],
        "BIGINT": [1, 2],
        "DOUBLE": [0.1],
        "TIMESTAMP": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)],
        "VARCHAR": ["x", "A99-91410821MA40000018-20260101-000001-7", ""],
    }
    columns = {}
    for name, kind in schema.duckdb_columns().items():
        choices = list(schema.columns[name].values) if name in schema.columns else []
        columns[name] = [
            chance.choice([*(choices or some[kind]), "stranger"] if choices else some[kind])
            if chance.random() < 0.8
            else None
            for _ in range(ROWS)
        ]
    for unread in ("unread", "unread_optional"):
        columns[unread] = [chance.choice([None, None, "price\x1fx"]) for _ in range(ROWS)]
    for name, kind in CHECKED[table]:
        words = [word for word, *_ in checking._CHECKS[kind]]
        columns[f"{name}_check"] = [chance.choice([None, "ok", *words]) for _ in range(ROWS)]
    for fact in schema.facts:
        columns[fact] = [chance.choice([None, True, False]) for _ in range(ROWS)]
    types = {
        name: pa.decimal128(20, 6) for name, kind in schema.duckdb_columns().items() if "DECIMAL" in kind
    }
    return pa.table(
        {
            name: pa.array([None if v is None else round(v, 6) for v in values], pa.float64()).cast(
                types[name]
            )
            if name in types
            else pa.array(values)
            for name, values in columns.items()
        }
    )


@pytest.mark.parametrize("table", CHECKED)
def test_great_expectations_names_the_rows_that_sql_counts(table):
    rows = typed_rows(table, random.Random(table))
    con = duck.connect()
    con.register("rows", rows.append_column("place", pa.array(range(ROWS))))
    outcomes = checking.check(table_schemas()[table], CHECKED[table], rows)
    assert {outcome.expectation.code for outcome in outcomes} > {"UNREADABLE_VALUE", "MISSING_VALUE"}
    for outcome in outcomes:
        named = con.execute(
            f"SELECT place FROM rows WHERE {as_sql(outcome.expectation)} ORDER BY place"
        ).fetchall()
        assert outcome.positions.tolist() == [place for (place,) in named], outcome.expectation.code
        assert outcome.checked == ROWS
        assert named, f"{outcome.expectation.code} was never broken, so the comparison says nothing"


@pytest.mark.parametrize("table", table_schemas())
def test_a_batch_with_nothing_filled_can_be_judged(table):
    schema = table_schemas()[table]
    con = duck.connect()
    names = {**schema.duckdb_columns(), **dict.fromkeys(schema.facts, "BOOLEAN"), "unread": "VARCHAR"}
    names["unread_optional"] = "VARCHAR"
    empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in names.items())
    rows = con.sql(f"SELECT {empty} FROM range(3)").to_arrow_table()
    broken = {
        o.expectation.column: o.positions.tolist()
        for o in checking.check(schema, (), rows)
        if len(o.positions)
    }
    required = [column.name for column in schema.columns.values() if column.required]
    assert broken == {name: [0, 1, 2] for name in required}


def test_what_is_critical_and_what_only_warns():
    checked = (("bidder_code", "party_code"), ("agent_id", "id_number"), ("bidder_region_code", "region"))
    severities = {(e.code, e.column): e.severity for e in checking.suite("bids", checked)}
    warnings = {key for key, severity in severities.items() if severity == "warning"}
    assert warnings == {
        ("TAKEN_AS_EMPTY", "unread_optional"),
        ("OLD_CODE", "bidder_code"),
        ("ID_CHECK_DIGIT", "agent_id"),
        ("UNKNOWN_REGION", "bidder_region_code"),
        ("PRICE_ABOVE_3_BILLION", "is_below_3_billion_cny"),
    }
    assert severities["CHECK_DIGIT", "bidder_code"] == severities["CODE_FORM", "bidder_code"] == "critical"
    lots = {(e.code, e.severity) for e in checking.suite("lots", (("region_code", "region"),))}
    assert {
        ("UNKNOWN_REGION", "critical"),
        ("LOT_NOT_IN_TENDER", "critical"),
        ("DEAL_CODE_FORMAT", "warning"),
    } <= lots


def test_every_reason_names_the_column_for_people():
    for expectation in checking.suite("bids", (("bidder_code", "party_code"),)):
        assert "{" not in expectation.reason + expectation.reason_zh
        assert any("\u4e00" <= letter <= "\u9fff" for letter in expectation.reason_zh)


def test_an_expectation_that_cannot_be_evaluated_is_a_fault_and_not_a_pass():
    rows = pa.table(
        {"unread": pa.array([None, None], pa.string()), "kind": pa.array([None, None], pa.string())}
    )
    with pytest.raises((RuntimeError, KeyError)):
        checking.check(table_schemas()["penalties"], (), rows)
