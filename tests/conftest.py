"""A tiny market, written as text tables, for the tests of detectors.

The tables get their shape from the snapshot itself, so they cannot drift from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from detectors import registry
from detectors.interface import SEPARATOR, completed
from pipelines import duck
from pipelines.duck import DuckDBEngine
from pipelines.snapshot import core, screening, stage

# Every worker of the tests has a core of its own: a second thread only gets in the way of the other worker.
assert duck.connect.__kwdefaults__["threads"] == 2
duck.connect.__kwdefaults__["threads"] = 1

#: What a column holds where a text table does not name it. Every other column is NULL.
DEFAULTS: dict[str, dict[str, object]] = {
    "lots": {"currency": "CNY", "class": "A01", "has_section": True},
    "bids": {"currency": "CNY", "price_form": "amount", "is_valid": True, "is_winner": False, "lances": 1},
    "fingerprints": {"owner": "bidder", "purpose": "edit", "is_on_site": False, "mac_is_local": False},
    "deposits": {"form": "transfer", "is_guarantee": False, "currency": "CNY"},
    "people": {"role": "team_member", "source": "people"},
    "penalties": {"kind": "blacklist", "is_bidding_ban": True},
    "listed_parties": {"list": "black", "is_bidding_ban": True, "is_in_effect": True},
    "bid_members": {"is_joint_venture_member": True},
    "scores": {"is_vetoed": False},
    "opening_draws": {"currency": "CNY"},
    "relations": {"kind": "control"},
    "subcontracts": {"currency": "CNY"},
    "failures": {"kind": "failed"},
    "awards": {"currency": "CNY"},
    "contracts": {"currency": "CNY"},
    "contract_members": {"role": "manager"},
    "payments": {"currency": "CNY"},
    "changes": {"currency": "CNY"},
    "acceptances": {"contract_no": "", "currency": "CNY"},
    "stated_certificates": {"kind": ""},
    "claimed_works": {"currency": "CNY"},
}

#: Short names that a text table may use.
ALIASES = {"bidder": "bidder_id", "lot": "lot_id", "party": "party_id"}


class Market:
    """Core tables that are empty until a test fills them.

    Every core table has a method of its name: ``market.bids(TEXT)`` appends rows to ``core.bids``. Columns
    are separated by blanks, the first line names them, ``-`` is NULL. It returns the market, so calls can be
    chained. A bid brings its row of ``bid_members``.
    """

    def __init__(self) -> None:
        self.con = duck.connect()
        stage.create(self.con)
        core.build(self.con)

    def empty(self) -> None:
        """Remove every row and everything that was measured."""
        tables = self.con.execute(
            "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE schema_name IN ('core', 'feat', 'risk')"
        ).fetchall()
        for schema, table, size in tables:
            if schema != "core":
                self.con.execute(f"DROP TABLE {schema}.{table}")
            elif size:
                self.con.execute(f"DELETE FROM core.{table}")

    def __getattr__(self, table: str) -> Callable[[str], Market]:
        """Give the method of a core table that appends the rows of a text."""
        if table not in core.tables():
            raise AttributeError(f"there is no table core.{table}; there are {', '.join(core.tables())}")
        return lambda text: self.append(table, parsed(text))

    def honest(
        self, lots: int = 300, bids: int = 5, seed: int = 1, spread: float = 0.08, **lot: object
    ) -> Market:
        """Append lots ``H0001``... with independent log-normal bids, as a reference.

        Args:
            lots: number of lots.
            bids: bids in each of them.
            seed: of the random generator.
            spread: standard deviation of the log price.
            lot: columns of the lots, by default the lowest price wins and they open in 2026.
        """
        rng = np.random.default_rng(seed)
        names = [f"H{number:04}" for number in range(lots)]
        prices = np.exp(rng.normal(np.log(rng.uniform(5e5, 5e6, lots))[:, None], spread, (lots, bids)))
        lot = {"award_method": "lowest_price", "opened_on": "2026-03-02"} | lot
        self.append("lots", pd.DataFrame({"lot_id": names} | lot))
        return self.append(
            "bids",
            pd.DataFrame(
                {
                    "lot_id": np.repeat(names, bids),
                    "bidder_id": [
                        f"F{number:03}"
                        for number in rng.permuted(np.tile(np.arange(200), (lots, 1)), axis=1)[
                            :, :bids
                        ].ravel()
                    ],
                    "price": prices.ravel().round(2),
                }
            ),
        )

    def append(self, table: str, rows: pd.DataFrame) -> Market:
        """Append a frame to a core table; a column that it does not have is an error."""
        rows = rows.rename(columns=ALIASES)
        rows = rows.assign(
            **{name: value for name, value in DEFAULTS.get(table, {}).items() if name not in rows}
        )
        if table == "bids":
            rows["bid_id"] = rows["lot_id"] + "/" + rows["bidder_id"]
            members = rows[["lot_id", "bidder_id"]].assign(
                party_id=rows["bidder_id"], is_joint_venture_member=False
            )
            self.append("bid_members", members)
        self.con.register("appended", pa.Table.from_pandas(rows, preserve_index=False))
        self.con.execute(f"INSERT INTO core.{table} BY NAME SELECT * FROM appended")
        self.con.unregister("appended")
        return self

    @property
    def engine(self) -> DuckDBEngine:
        """An engine over the market as it is now, with the tables that detectors share."""
        return screening.measure(self.con)

    def screen(self, id: str, limits: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Run one detector with its default limits, except for those given."""
        module = importlib.import_module(f"detectors.{id}")
        frame: pd.DataFrame = completed(module.screen(self.engine, module.Limits(**(limits or {}))))
        return frame

    def lacks(self, id: str, **limits: object) -> dict[str, int]:
        """Return how many lots, firms or buyers one detector could not judge, by the need that they lack."""
        loaded = next(each for each in registry.load() if each.id == id)
        loaded = replace(loaded, limits=loaded.module.Limits(**limits))
        for (name,) in self.con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall():
            self.con.execute(f"DROP TABLE {name}")
        unjudged = self.unjudged(loaded, loaded.screen(self.engine, loaded.limits))
        return {each.lack: each.units for each in unjudged}

    def unjudged(self, detector: registry.Loaded, frame: pd.DataFrame) -> list[screening.Unjudged]:
        """Return what a detector could not judge; a need that says otherwise than its screen did is an error here."""
        unjudged, misstated = screening.count_unjudged(self.con, detector, frame)
        assert misstated == []
        return unjudged

    def judged(self, id: str, **limits: object) -> dict[str, bool]:
        """Return unit -> flagged for every unit that could be judged, leaving out ``honest`` lots."""
        frame = self.screen(id, limits)
        flagged = frame.groupby("unit")["flagged"].any()
        return {unit: bool(flag) for unit, flag in flagged.items() if not str(unit).startswith("H")}

    def flagged_together(self, id: str, **limits: object) -> list[set[str]]:
        """Return the bidders of every flagged row."""
        frame = self.screen(id, limits)
        return [set(entities.split(SEPARATOR)) for entities in frame.loc[frame["flagged"], "entities"]]

    def says(self, id: str, unit: str, **limits: object) -> tuple[str, str]:
        """Return the English and the Chinese sentence of the first row of a unit."""
        module = importlib.import_module(f"detectors.{id}")
        row = self.screen(id, limits).set_index("unit").loc[[unit]].iloc[0].to_dict()
        values = vars(module.Limits(**limits)) | row
        return module.DETECTOR.says.format(**values), module.DETECTOR.says_zh.format(**values)


def parsed(text: str) -> pd.DataFrame:
    """Return a whitespace-separated text table as a frame of texts, ``-`` as NULL."""
    header, *lines = (line.split() for line in text.strip().splitlines())
    for line in lines:
        if len(line) != len(header):
            raise ValueError(f"{line} has {len(line)} cells, but the columns are {header}")
    return pd.DataFrame(lines, columns=header, dtype="str").replace("-", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files, so that no worker is left with one of them at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def make_market() -> type[Market]:
    """Give the class itself, for a market that several tests read."""
    return Market


@pytest.fixture(scope="session")
def tables() -> Iterator[Market]:
    """Build the tables once: that takes longer than most tests."""
    market = Market()
    yield market
    market.con.close()


@pytest.fixture
def market(tables: Market) -> Iterator[Market]:
    """Give a market with empty tables."""
    yield tables
    tables.empty()
