"""One way to read a file in these tests: with every reading, the accounting law is checked."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from places import REAL_DATA

from pipelines.intake import readers
from pipelines.intake.readers import FileRule, Unreadable, counting


@dataclass
class Taken:
    """What a file held: section -> records as dicts, without their addresses in ``records``."""

    rows: dict[str, list[dict[str, str | None]]]
    columns: dict[str, tuple[str, ...]]
    unreadable: list[Unreadable]
    notes: list[str]

    def records(self, section: str = "rows") -> list[dict[str, str | None]]:
        return [{name: row[name] for name in self.columns[section]} for row in self.rows[section]]

    def paths(self, section: str = "rows") -> list[str | None]:
        return [row["raw_path"] for row in self.rows[section]]

    def codes(self) -> list[str]:
        return [record.code for record in self.unreadable]


def take(
    content: bytes | Path,
    format: str,
    name: str = "delivered.dat",
    size: int = 3,
    is_counted: bool = True,
    **rule,
) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        path = content
        if isinstance(content, bytes):
            path = work / "hash"
            path.write_bytes(content)
        assert isinstance(path, Path)
        file_rule = FileRule(("*",), format, **rule)
        reading = readers.read(path, file_rule, name, work)
        rows: dict[str, list[dict[str, str | None]]] = {}
        for section in reading.sections:
            kept = rows.setdefault(section.name, [])
            for batch in section.batches(size):
                assert 0 < batch.num_rows <= size
                assert batch.schema.names == [*section.columns, "raw_row", "raw_path"]
                assert set(batch.schema.types[:-2]) <= {pa.string()}
                assert batch.schema.types[-2:] == [pa.int64(), pa.string()]
                kept += batch.to_pylist()
        taken = Taken(
            rows, {one.name: one.columns for one in reading.sections}, reading.unreadable, reading.notes
        )
        if is_counted:
            _check_law(taken, counting.count_records(path, file_rule, name, work))
        return taken


def _check_law(taken: Taken, counted: dict[str, int]) -> None:
    found = Counter({section: len(rows) for section, rows in taken.rows.items()})
    found.update(record.section for record in taken.unreadable)
    assert +found == counted, "physical records = rows + unreadable records"
    addresses = [(section, row["raw_row"]) for section, rows in taken.rows.items() for row in rows]
    addresses += [(record.section, record.raw_row) for record in taken.unreadable]
    assert len(set(addresses)) == len(addresses), "every record has its own address"


@pytest.fixture
def taking() -> Callable[..., Taken]:
    return take


@pytest.fixture
def refusal() -> Callable[..., str]:
    def code(content: bytes | Path, format: str, **rule) -> str:
        with pytest.raises(readers.FileRefused) as refused:
            take(content, format, is_counted=False, **rule)
        assert len(str(refused.value)) > 20
        assert any("\u4e00" <= letter <= "\u9fff" for letter in refused.value.reason_zh)
        return refused.value.code

    return code


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("real data are not on this machine; set BIDWATCH_REAL_DATA to their folder")
    return REAL_DATA
