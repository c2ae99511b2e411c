"""The page about mappings cannot rot: its examples are loaded, and the cells in them are read."""

import csv
import io
import re
from decimal import Decimal

import pytest

from pipelines.intake import mapping
from pipelines.intake.schema import table_schemas

HEAD = 'title = "x"\ncountry = "CN"\ntime_zone = "Asia/Shanghai"\n'
FILE = '[[file]]\nmatch = ["*"]\nformat = "delimited"\n'
RECORD = """
[[record]]
section = "any"
table = "lots"
[record.columns]
lot_id = { constant = "L" }
tender_id = { constant = "T" }
"""
#: What a table cannot do without, for examples that are about something else.
NEEDED = {
    "bids": {"lot_id": "L", "bidder_name": "甲公司"},
    "lots": {"lot_id": "L", "tender_id": "T"},
    "awards": {"lot_id": "L", "winner_name": "甲公司"},
    "fingerprints": {"lot_id": "L", "bidder_name": "甲公司", "owner": "bidder", "purpose": "edit"},
}
EXAMPLES = re.findall(
    r"```toml\n(.*?)```", (mapping.BUILT_IN / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
COLUMNS = [example for example in EXAMPLES if example.startswith("# columns of ")]


def whole(example):
    """An example as a mapping of its own."""
    if "title =" in example:
        return example
    if example.startswith("[[file]]"):
        return HEAD + example + ("" if "[[record]]" in example else RECORD)
    if example.startswith("[[record]]"):
        return HEAD + FILE + example
    table = re.match(r"# columns of (\w+)", example)[1]
    needed = (
        f'{name} = {{ constant = "{text}" }}\n'
        for name, text in NEEDED[table].items()
        if not re.search(rf"^{name} =", example, re.MULTILINE)
    )
    return f'{HEAD}{FILE}[[record]]\ntable = "{table}"\n[record.columns]\n{"".join(needed)}{example}'


def cells():
    """Each line ``# cell -> value`` with the column above it."""
    for example in COLUMNS:
        table = re.match(r"# columns of (\w+)", example)[1]
        for line in example.splitlines()[1:]:
            if not line.startswith("#"):
                column = line.split(" = ")[0]
                heading = re.search(r'from = \["([^"]*)"', line)
            elif " -> " in line:
                cell, value = line.removeprefix("# ").split(" -> ")
                yield pytest.param(example, table, column, heading[1], cell, value, id=f"{column} {cell}")


def test_the_page_has_examples_of_every_kind():
    starts = [example.split("\n", 1)[0] for example in EXAMPLES]
    assert starts[0].startswith("title =")
    assert {"[[file]]", "[[record]]"} < set(starts)
    assert len(list(cells())) > 20


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_a_mapping(tmp_path, example):
    path = tmp_path / "centre.toml"
    path.write_text(whole(example), encoding="utf-8")
    loaded = mapping.load_file(path)
    assert {rule.table for rule in loaded.records} <= set(table_schemas())


@pytest.mark.parametrize(("example", "table", "column", "heading", "cell", "value"), list(cells()))
def test_every_cell_on_the_page_is_read_as_it_says(
    tmp_path, make_county, example, table, column, heading, cell, value
):
    text = io.StringIO()
    csv.writer(text).writerows([[heading, "other"], [cell, "x"]])
    taken = make_county(tmp_path, whole(example)).read(text.getvalue(), "example.csv")
    assert taken.report.state == "readable", taken.report.reason
    (found,) = taken.values(column, table)
    if value == "(empty)":
        assert found is None
    else:
        assert str(found.normalize() if isinstance(found, Decimal) else found) == str(
            Decimal(value).normalize() if isinstance(found, Decimal) else value
        )


def test_every_setting_is_on_the_page():
    page = (mapping.BUILT_IN / "README.md").read_text(encoding="utf-8")
    settings = {
        "from",
        "with",
        "dictionary",
        "only_with",
        "only_when",
        "split",
        "version.updated_at",
        "version.partial",
    }
    renamed = {"source": "from", "separator": "with"}
    fields = [
        *mapping.Value.__dataclass_fields__,
        "header",
        "skip",
        "columns",
        "records",
        "section",
        "published",
    ]
    settings |= {renamed.get(name, name) for name in fields}
    assert [name for name in sorted(settings) if not re.search(rf"\b{re.escape(name)}\b", page)] == []
