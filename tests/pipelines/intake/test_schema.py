import great_expectations
import pytest

from pipelines import duck
from pipelines.intake import checking, schema
from pipelines.intake.schema import table_schemas
from pipelines.snapshot import stage

TABLE = """
about = "one row per thing"
about_zh = "一行一物"
key = ["thing_id"]
[columns]
thing_id = { type = "code", required = true, zh = "编号" }
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "things.toml"
        path.write_text(text, encoding="utf-8")
        return schema._load(path)

    return load_text


def test_a_schema_gives_every_row_its_columns_and_where_it_came_from(load):
    loaded = load(TABLE + 'maker = { type = "party", code = "c", name = "n", zh = "厂" }\n')
    columns = loaded.duckdb_columns()
    assert list(columns)[:3] == ["thing_id", "maker", "maker_key"]
    assert list(columns)[-3:] == ["raw_sha", "raw_section", "raw_row"]
    assert loaded.table == "things"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('size = { type = "number", zh = "x" }', "column 'size' has unknown type 'number'"),
        ('size = { zh = "x" }', "column 'size' has unknown type None"),
        ('size = { type = "integer" }', "column 'size'"),
        ('size = { type = "integer", zh = "x", unit = "m" }', "unit"),
        (
            '[[expectations]]\nkwargs = { column = "thing_id" }\nseverity = "fatal"\ncode = "X"',
            "'X' needs a severity",
        ),
        ('[[expectations]]\nkwargs = 1\nseverity = "warning"\ncode = "X"', "'X' needs a severity"),
    ],
)
def test_a_schema_that_cannot_be_kept_names_its_place(load, line, says):
    with pytest.raises(ValueError, match=r"things\.toml") as refused:
        load(TABLE + line + "\n")
    assert says in str(refused.value)


def test_the_key_must_be_a_column_that_is_always_filled(load):
    with pytest.raises(ValueError, match="the key names 'maker', which is not a column"):
        load(TABLE.replace('["thing_id"]', '["maker"]'))
    with pytest.raises(ValueError, match="neither required nor defaulted"):
        load(TABLE.replace(", required = true", ""))


def test_a_setting_nobody_knows_is_refused(load):
    with pytest.raises(ValueError, match="unknown setting 'secret'"):
        load("secret = true\n" + TABLE)
    with pytest.raises(ValueError, match="'about_zh' is missing"):
        load(TABLE.replace('about_zh = "一行一物"\n', ""))


@pytest.mark.parametrize("table", table_schemas())
def test_every_schema_speaks_both_languages(table):
    one = table_schemas()[table]
    assert one.about.startswith("one row per")
    words = [one.about_zh, *(column.zh for column in one.columns.values())]
    words += [expectation.reason_zh for expectation in one.expectations]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in words)
    assert all(expectation.reason and expectation.code.isupper() for expectation in one.expectations)


@pytest.mark.parametrize("table", table_schemas())
def test_every_expectation_looks_at_a_column_or_fact_and_is_one_of_great_expectations(table):
    one = table_schemas()[table]
    for expectation in one.expectations:
        named = [expectation.kwargs.get(key) for key in ("column", "column_A", "column_B")]
        assert {name for name in named if name} <= set(one.columns) | set(one.facts)
        class_name = "".join(part.capitalize() for part in expectation.type.split("_"))
        assert hasattr(great_expectations.expectations, class_name)


@pytest.mark.parametrize("table", table_schemas())
def test_every_column_that_is_made_of_others_names_columns_of_its_table(table):
    columns = table_schemas()[table].columns
    for column in columns.values():
        parts = {*column.columns, column.code, column.name_column, column.of} - {None}
        assert parts <= set(columns)
        assert bool(parts) == (column.type in schema.DERIVED)


def test_what_may_not_be_known_before_the_opening_says_so():
    secret = {table: one.secret_until for table, one in table_schemas().items() if one.secret_until}
    assert secret == {
        "bid_files": "opening",
        "bid_members": "opening",
        "bids": "opening",
        "candidates": "opening",
        "claimed_works": "opening",
        "deposits": "opening",
        "document_purchases": "opening",
        "opening_draws": "opening",
        "expert_scores": "result",
        "experts": "result",
        "failures": "opening",
        "file_images": "owner",
        "file_parts": "owner",
        "file_properties": "owner",
        "files": "owner",
        "fingerprints": "opening",
        "people": "opening",
        "priced_items": "opening",
        "scores": "opening",
        "stated_certificates": "opening",
    }


def test_every_secret_table_can_be_held_back_by_its_lot_or_its_file():
    for one in table_schemas().values():
        if one.secret_until:
            assert ("file_sha" if one.secret_until == "owner" else "lot_id") in one.columns


def test_the_typed_columns_are_columns_of_the_stage():
    con = duck.connect()
    stage.create(con)
    for one in table_schemas().values():
        made = con.execute(f"DESCRIBE stage.{one.table}").fetchall()
        assert [row[0] for row in made] == list(one.duckdb_columns())


@pytest.mark.parametrize("table", table_schemas())
def test_every_required_column_is_checked(table):
    codes = {(e.code, e.column) for e in checking.suite(table, ())}
    required = {column.name for column in table_schemas()[table].columns.values() if column.required}
    assert {column for code, column in codes if code == "MISSING_VALUE"} == required
