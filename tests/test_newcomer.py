"""How many files a newcomer has to edit: each edit is made in a scratch copy of the project, which must still work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from places import REPO

pytestmark = [pytest.mark.slow, pytest.mark.trial]

#: The tests in `test_every_detector.py` of one detector, without those that need the honest market: it is slow.
RULES = "{} and not honest and not another_run and not written_for and not bid_in and not names_lots and not judged_and"

TOPS = ("pipelines", "detectors", "reports", "data/reference", "tests", "pyproject.toml")


@dataclass
class Scratch:
    """A copy of the project; ``edited`` are the files that were written into it since."""

    root: Path
    edited: set[str] = field(default_factory=set)

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.edited.add(name)

    def change(self, name: str, before: str, after: str) -> None:
        text = self.text(name)
        assert text.count(before) == 1, f"{name}: {before!r} stands there {text.count(before)} times"
        self.write(name, text.replace(before, after))

    def python(self, *words: str) -> str:
        """Run Python in the copy; its modules come before the installed ones."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def bidwatch(self, *words: str) -> str:
        return self.python("-c", "from pipelines.cli import main; main()", *words)

    def tests(self, *words: str) -> str:
        said = self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *words)
        assert " passed" in said or "[100%]" in said, said
        return said


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    for top in TOPS:
        if (REPO / top).is_dir():
            shutil.copytree(REPO / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPO / top, tmp_path / top)
    return Scratch(tmp_path)


def copied(scratch: Scratch, family: str, name: str) -> None:
    """Add a detector and its test: a neighbour's, under another name and with a title of its own."""
    neighbour, test = "detectors/prices/low_dispersion.py", "tests/detectors/prices/test_low_dispersion.py"
    source = scratch.text(neighbour).replace("报价离散程度异常偏低", "另一条规则")
    scratch.write(f"detectors/{family}/{name}.py", source)
    scratch.write(
        f"tests/detectors/{family}/test_{name}.py",
        scratch.text(test).replace("prices.low_dispersion", f"{family}.{name}"),
    )


def test_a_detector_is_two_files(scratch):
    copied(scratch, "prices", "another")
    assert len(scratch.edited) == 2
    scratch.tests(
        "tests/detectors/prices/test_another.py",
        "tests/test_every_detector.py",
        "-k",
        RULES.format("another"),
    )
    scratch.python("-m", "reports.catalogue")
    assert "\n## prices.another\n" in scratch.text("detectors/CATALOGUE.md")
    said = scratch.bidwatch("detectors", "list", "--format", "csv")
    (line,) = (line for line in said.splitlines() if '"prices.another"' in line)
    assert '"experimental"' in line, "nothing leaves the house before it was measured"


def test_a_family_is_three_files_in_its_own_folder(scratch):
    scratch.write(
        "detectors/weather/__init__.py",
        '"""What the weather says (天气)."""\n\nTITLE = "Weather"\nTITLE_ZH = "天气"\nEXPLANATION_ZH = "连续降雨"\n',
    )
    copied(scratch, "weather", "rain")
    assert {Path(name).parent.name for name in scratch.edited} == {"weather"}
    assert len(scratch.edited) == 3
    scratch.tests(
        "tests/detectors/weather/test_rain.py",
        "tests/test_every_detector.py",
        "tests/test_floors.py",
        "-k",
        RULES.format("rain"),
    )
    # A letter about such a clue finds the family's explanation where nothing else was edited.
    said = scratch.python(
        "-c",
        "from reports.letters import _explanations; from types import SimpleNamespace as S;"
        "print(_explanations([S(family='天气')]))",
    )
    assert said.strip() == "天气——连续降雨"


def test_a_limit_is_one_line(scratch):
    before = scratch.text("detectors/thresholds.toml").splitlines()
    scratch.write(
        "detectors/thresholds.toml", "\n".join([*before, "prices.low_dispersion.min_bids = 4"]) + "\n"
    )
    said = scratch.bidwatch("detectors", "explain", "prices.low_dispersion")
    assert "min_bids = 4" in said


CENTRE = """
title = "A trading centre"
country = "CN"
time_zone = "Asia/Shanghai"

[[file]]
match = ["*.csv"]
format = "delimited"
section = "lots"

[[record]]
section = "lots"
table = "lots"
[record.columns]
lot_id = { from = ["标段编号"] }
ceiling_price = { from = ["最高限价"], unit = 1 }
currency = { constant = "CNY" }
"""


def test_a_trading_centre_is_one_file(scratch, tmp_path):
    scratch.write("home/reference/sources/centre.toml", CENTRE)
    assert len(scratch.edited) == 1
    (tmp_path / "lots.csv").write_text("标段编号,最高限价\nE4108210001,1000000\n", encoding="utf-8")
    scratch.bidwatch("sources", "check", "centre", "lots.csv", "--home", "home")


#: Builds the tables of one file in a scratch copy and prints what is asked for.
BUILT = """
import sys, tempfile
from pathlib import Path
from pipelines import duck
from pipelines.intake import bronze
from pipelines.snapshot import core, stage
mapping, file, query = sys.argv[1:]
out = Path(tempfile.mkdtemp())
report = bronze.make(bronze.Job(file, "f" * 64, Path(file).name, mapping, str(out), "00" * 32))
assert report.state == "readable", report.reason
con = duck.connect()
tables = {path.stem: [path] for path in out.glob("*.parquet") if path.stem not in ("refused", "sealed")}
stage.load(con, tables, [stage.Arrival("f" * 64, 1)], "2027-01-01 00:00:00")
core.build(con)
print(con.execute(query).fetchall())
"""


def built(scratch, mapping, rows, query):
    scratch.write("centre.toml", mapping)
    (scratch.root / "lots.csv").write_text(rows, encoding="utf-8")
    scratch.edited.discard("centre.toml")  # the sender's own file
    return scratch.python("-c", BUILT, "centre.toml", "lots.csv", query).strip()


def test_a_core_column_is_two_files(scratch):
    scratch.change(
        "pipelines/intake/schemas/lots.toml",
        "[columns]\n",
        '[columns]\nsoil = { type = "text", zh = "土质" }\n',
    )
    scratch.change(
        "pipelines/snapshot/sql/core/lots.sql", "SELECT k.lot_id,\n", "SELECT k.lot_id,\n       l.soil,\n"
    )
    assert len(scratch.edited) == 2
    mapping = CENTRE + 'soil = { from = ["土质"] }\n'
    said = built(
        scratch, mapping, "标段编号,最高限价,土质\nL1,5,黏土\n", "SELECT lot_id, soil FROM core.lots"
    )
    assert said == "[('L1', '黏土')]"


def test_a_core_table_is_at_most_four_files(scratch):
    scratch.write(
        "pipelines/intake/schemas/soils.toml",
        'about = "one row per soil sample of a lot"\nabout_zh = "土样"\nkey = ["lot_id", "sample"]\n\n[columns]\n'
        'lot_id = { type = "code", required = true, zh = "标段（包）编号" }\n'
        'sample = { type = "text", required = true, zh = "土样" }\n',
    )
    scratch.write(
        "pipelines/snapshot/sql/core/soils.sql",
        "-- core.soils: one row per soil sample of a lot. Key: lot_id, sample.\nCREATE TABLE core.soils AS\n"
        "SELECT s.lot_id, s.sample, l.lot_id IS NOT NULL AS has_lot, s.raw_sha, s.raw_section, s.raw_row\n"
        "FROM stage.soils AS s LEFT JOIN core.lots AS l ON l.lot_id = s.lot_id\nORDER BY s.lot_id, s.sample;\n",
    )
    assert len(scratch.edited) <= 4
    mapping = CENTRE + (
        '\n[[record]]\nsection = "lots"\ntable = "soils"\n[record.columns]\n'
        'lot_id = { from = ["标段编号"] }\nsample = { from = ["土样"] }\n'
    )
    said = built(
        scratch, mapping, "标段编号,最高限价,土样\nL1,5,A\n", "SELECT lot_id, sample, has_lot FROM core.soils"
    )
    assert said == "[('L1', 'A', True)]"


VERB = '''"""A verb of a newcomer."""

from __future__ import annotations

import typer

from pipelines.commands.options import Panel
from pipelines.commands.output import out

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
def hello() -> None:
    """Say hello."""
    out.print("你好")
'''


def test_a_verb_is_one_file(scratch):
    scratch.write("pipelines/commands/hello.py", VERB)
    assert len(scratch.edited) == 1
    assert "hello" in scratch.bidwatch("--help")
    assert scratch.bidwatch("hello").strip() == "你好"
