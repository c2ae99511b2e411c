"""A tiny market, written as text tables, for the tests of detectors.

The tables get their shape from the warehouse itself, so they cannot drift from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from detectors.interface import SEPARATOR
from detectors.kernels.prices.screens import lot_prices
from pipelines import duck
from pipelines.duck import DuckDBEngine
from pipelines.snapshot import warehouse

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
    "draws": {"currency": "CNY"},
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

    ``market.bids(TEXT)`` and the like append rows: columns are separated by blanks, the first line
    names them, ``-`` is NULL. They return the market, so calls can be chained. A bid brings its
    row of ``bid_members``.
    """

    def __init__(self) -> None:
        self.con = duck.connect()
        warehouse.create_stage(self.con)
        warehouse.build_core(self.con)

    def empty(self) -> None:
        """Take every row away, and all that was measured."""
        for schema, table in self.con.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('core', 'feat', 'risk')"
        ).fetchall():
            self.con.execute(f"{'DELETE FROM' if schema == 'core' else 'DROP TABLE'} {schema}.{table}")

    def lots(self, text: str) -> Market:
        """Append rows to ``core.lots``."""
        return self.append("lots", parsed(text))

    def bids(self, text: str) -> Market:
        """Append rows to ``core.bids`` and one row each to ``core.bid_members``."""
        return self.append("bids", parsed(text))

    def bid_members(self, text: str) -> Market:
        """Append members of joint ventures to ``core.bid_members``."""
        return self.append("bid_members", parsed(text))

    def fingerprints(self, text: str) -> Market:
        """Append rows to ``core.fingerprints``."""
        return self.append("fingerprints", parsed(text))

    def people(self, text: str) -> Market:
        """Append rows to ``core.people``."""
        return self.append("people", parsed(text))

    def deposits(self, text: str) -> Market:
        """Append rows to ``core.deposits``."""
        return self.append("deposits", parsed(text))

    def document_purchases(self, text: str) -> Market:
        """Append rows to ``core.document_purchases``."""
        return self.append("document_purchases", parsed(text))

    def parties(self, text: str) -> Market:
        """Append rows to ``core.parties``."""
        return self.append("parties", parsed(text))

    def penalties(self, text: str) -> Market:
        """Append rows to ``core.penalties``."""
        return self.append("penalties", parsed(text))

    def listed_parties(self, text: str) -> Market:
        """Append rows to ``core.listed_parties``."""
        return self.append("listed_parties", parsed(text))

    def scores(self, text: str) -> Market:
        """Append rows to ``core.scores``."""
        return self.append("scores", parsed(text))

    def draws(self, text: str) -> Market:
        """Append rows to ``core.draws``."""
        return self.append("draws", parsed(text))

    def relations(self, text: str) -> Market:
        """Append rows to ``core.relations``."""
        return self.append("relations", parsed(text))

    def subcontracts(self, text: str) -> Market:
        """Append rows to ``core.subcontracts``."""
        return self.append("subcontracts", parsed(text))

    def failures(self, text: str) -> Market:
        """Append rows to ``core.failures``."""
        return self.append("failures", parsed(text))

    def tenders(self, text: str) -> Market:
        """Append rows to ``core.tenders``."""
        return self.append("tenders", parsed(text))

    def documents(self, text: str) -> Market:
        """Append rows to ``core.documents``."""
        return self.append("documents", parsed(text))

    def awards(self, text: str) -> Market:
        """Append rows to ``core.awards``."""
        return self.append("awards", parsed(text))

    def contracts(self, text: str) -> Market:
        """Append rows to ``core.contracts``."""
        return self.append("contracts", parsed(text))

    def experts(self, text: str) -> Market:
        """Append rows to ``core.experts``."""
        return self.append("experts", parsed(text))

    def contract_members(self, text: str) -> Market:
        """Append rows to ``core.contract_members``."""
        return self.append("contract_members", parsed(text))

    def insured_people(self, text: str) -> Market:
        """Append rows to ``core.insured_people``."""
        return self.append("insured_people", parsed(text))

    def payments(self, text: str) -> Market:
        """Append rows to ``core.payments``."""
        return self.append("payments", parsed(text))

    def expert_scores(self, text: str) -> Market:
        """Append rows to ``core.expert_scores``."""
        return self.append("expert_scores", parsed(text))

    def changes(self, text: str) -> Market:
        """Append rows to ``core.changes``."""
        return self.append("changes", parsed(text))

    def acceptances(self, text: str) -> Market:
        """Append rows to ``core.acceptances``."""
        return self.append("acceptances", parsed(text))

    def qualifications(self, text: str) -> Market:
        """Append rows to ``core.qualifications``."""
        return self.append("qualifications", parsed(text))

    def stated_certificates(self, text: str) -> Market:
        """Append rows to ``core.stated_certificates``."""
        return self.append("stated_certificates", parsed(text))

    def claimed_works(self, text: str) -> Market:
        """Append rows to ``core.claimed_works``."""
        return self.append("claimed_works", parsed(text))

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
        """An engine over the market as it is now, with ``feat.lot_prices`` built."""
        engine = DuckDBEngine(self.con)
        self.con.register("built", lot_prices(engine))
        self.con.execute("CREATE OR REPLACE TABLE feat.lot_prices AS SELECT * FROM built")
        self.con.unregister("built")
        return engine

    def screen(self, id: str, limits: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Run one detector with its default limits, but for those given."""
        module = importlib.import_module(f"detectors.{id}")
        frame: pd.DataFrame = module.screen(self.engine, module.Limits(**(limits or {})))
        return frame

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
    """Begin with the files that take long, so that no worker is left alone with one at the end."""
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
