"""Innocent lots that look like rigged ones: each kind has its plain reason.

Some kinds are put into honest lots here, in turn, so that even a small county has each of them. Others come by
themselves and are found afterwards (`natural.sql`): thin markets, re-tenders, affiliates in different lots, firms
that bid once, bids after a ban, partners of a joint venture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.simulator.bidding import put, row_of
from pipelines.simulator.population import SMALL_COUNTY, Population
from pipelines.simulator.segments import KEYS as SEGMENT_KEYS
from pipelines.simulator.segments import SEGMENTS

SHARE = 0.10  # of the honest lots with electronic traces
SHARE_OF_A_SMALL_COUNTY = 0.35
FIRST_SHARED_COMPUTER = FIRST_SHARED_DONGLE = 3 << 29  # consultants, copy shops, centres, buyers: by county
FIRST_NAMESAKE = 900_000_000
FIRST_AGENCY_PHONE = 900_000_000
FIRST_NAT_ADDRESS = 1_000_000_000
FILLER, INSURER = -2, -2
NORM_RATES = np.array([0.80, 0.85, 0.90])
NORM_PRICED = [SEGMENT_KEYS.index(key) for key in ("supervision", "design")]
NORM_SHARE = 0.15  # of the lots of those segments


@dataclass(frozen=True)
class _Scene:
    """A period, and the places of the bids that one kind of look-alike may change."""

    rng: np.random.Generator
    people: Population
    lots: pd.DataFrame
    bids: pd.DataFrame
    here: np.ndarray

    def some(self, most: int) -> np.ndarray:
        """Return two to ``most`` bids of every lot."""
        of_lot = self.bids["lot"].to_numpy()[self.here]
        order = np.lexsort((self.rng.random(len(self.here)), of_lot))
        lots, place = np.unique(of_lot[order], return_inverse=True)
        starts = np.flatnonzero(np.r_[True, np.diff(place) > 0])
        inside = np.arange(len(order)) - starts[place]
        wanted = self.rng.integers(2, most + 1, len(lots))[place]
        return np.asarray(np.sort(self.here[order][inside < wanted]))

    def of_lot(self, name: str, places: np.ndarray) -> np.ndarray:
        """Return a column of the lots for bids."""
        return np.asarray(self.lots[name].to_numpy()[row_of(self.lots, self.bids)[places]])

    def shared(self, places: np.ndarray) -> np.ndarray:
        """Return the first of the sixteen shared computers of each bid's county."""
        return FIRST_SHARED_COMPUTER + self.of_lot("market", places) // len(SEGMENTS) * 16

    def set(self, places: np.ndarray, **columns: npt.ArrayLike) -> np.ndarray:
        """Change columns of bids and return their places."""
        put(self.bids, places, **columns)
        return places


Change = Callable[[_Scene], np.ndarray]


def placed(
    people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame, turn: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, int]:
    """Return lots, bids, links (one row a lot, what and firm) and the next turn.

    ``turn`` counts the look-alikes put so far: the kinds take turns from lot to lot.
    """
    rng = people.streams.of("look-alikes", period)
    row = row_of(lots, bids)
    count = np.bincount(row, minlength=len(lots))
    honest = np.bincount(row, weights=bids["ring"].ge(0), minlength=len(lots)) == 0
    fit = lots["has_traces"].to_numpy() & honest & (count >= 3) & ~lots["is_hand_kept"].to_numpy()
    share = SHARE_OF_A_SMALL_COUNTY if people.lots < SMALL_COUNTY else SHARE
    chosen = np.flatnonzero(fit & (rng.random(len(lots)) < share))
    kind_of = np.full(len(lots), -1)
    kind_of[chosen] = (turn + np.arange(len(chosen))) % len(KINDS)
    lots, links = lots.copy(), []
    for number, (what, (change, note)) in enumerate(KINDS.items()):
        here = np.flatnonzero(kind_of[row] == number)
        if len(here):
            touched = change(_Scene(rng, people, lots, bids, here))
            links.append(bids.iloc[touched][["lot", "firm"]].assign(what=what, note=note))
    made = (
        pd.concat(links, ignore_index=True)
        if links
        else pd.DataFrame(columns=["lot", "firm", "what", "note"])
    )
    return lots, bids, made.assign(ring=-1, is_innocent=True), turn + len(chosen)


def norm_prices(
    people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the bids with fees by a published norm in some lots of supervision and design, and the links.

    The norm gives the fee; a bidder only chooses one of the customary rates. That makes ties and little scatter.
    """
    rng = people.streams.of("norm prices", period)
    row = row_of(lots, bids)
    has_norm = (
        np.isin(lots["segment"], NORM_PRICED)
        & lots["attempt"].eq(1).to_numpy()
        & ~lots["is_by_rate"].to_numpy()
    )
    has_norm &= (rng.random(len(lots)) < NORM_SHARE) & (np.bincount(row, bids["ring"].ge(0), len(lots)) == 0)
    fee = rng.uniform(0.97, 1.0, len(lots))  # of the ceiling price
    rate = rng.choice(NORM_RATES, len(bids), p=[0.35, 0.3, 0.35])
    here = has_norm[row]
    bids = bids.assign(ask=np.where(here, fee[row] * rate, bids["ask"]), is_exact=bids["is_exact"] | here)
    links = bids.loc[here, ["lot", "firm"]].assign(
        what="norm_prices", note="fees by a published norm at the customary rates", ring=-1, is_innocent=True
    )
    return bids, links


def _consultant(scene: _Scene) -> np.ndarray:
    some = scene.some(3)
    office = scene.shared(some) + scene.bids["lot"].to_numpy()[some] % 4
    return scene.set(some, dongle=office, pricing_machine=office)


def _copy_shop(scene: _Scene) -> np.ndarray:
    some = scene.some(3)
    return scene.set(some, edit_machine=scene.shared(some) + 4 + scene.bids["lot"].to_numpy()[some] % 2)


def _on_site(scene: _Scene) -> np.ndarray:
    some = scene.some(4)
    return scene.set(some, upload_machine=scene.shared(some) + 6, is_on_site=True)


def _buyers_files(scene: _Scene) -> np.ndarray:
    rows = row_of(scene.lots, scene.bids)[scene.here]
    office = scene.shared(scene.here) + 8 + rows % 4
    put(scene.lots, rows, buyer_machine=office, buyer_dongle=office)
    return scene.set(scene.here, has_buyers_entry=True)


def _nat(scene: _Scene) -> np.ndarray:
    some = scene.some(4)
    return scene.set(some, ip=FIRST_NAT_ADDRESS + scene.of_lot("market", some) // len(SEGMENTS))


def _namesakes(scene: _Scene) -> np.ndarray:
    some = scene.some(3)
    return scene.set(some, manager=FIRST_NAMESAKE + np.arange(len(some)))


def _agency_phone(scene: _Scene) -> np.ndarray:
    return scene.set(scene.here, operator_phone=FIRST_AGENCY_PHONE + scene.of_lot("agency", scene.here))


def _virtual_adapter(scene: _Scene) -> np.ndarray:
    some = scene.some(3)
    return scene.set(some, edit_machine=-1000 - scene.bids["edit_machine"].to_numpy()[some])


def _fillers(scene: _Scene) -> np.ndarray:
    machines = dict.fromkeys(("edit_machine", "upload_machine", "pricing_machine", "dongle", "ip"), FILLER)
    return scene.set(scene.here, operator_phone=FILLER, **machines)


def _insurer(scene: _Scene) -> np.ndarray:
    return scene.set(scene.here, deposit_form="电子保函", account=INSURER)


def _joint_venture(scene: _Scene) -> np.ndarray:
    """One bid of the lot gets a partner that does not bid by itself; the two share their computers."""
    people, bids, here = scene.people, scene.bids, scene.here
    first = here[np.r_[True, np.diff(bids["lot"].to_numpy()[here]) > 0]]
    market = scene.of_lot("market", first)
    partner = people.first_of[market] + scene.rng.integers(0, people.count_of[market])
    groups, lot = people.relatives(), bids["lot"].to_numpy().astype(np.int64) * people.count
    held = bids["partner"].to_numpy()
    taken = np.r_[lot + groups[bids["firm"]], (lot + groups[np.maximum(held, 0)])[held >= 0]]
    free = ~np.isin(lot[first] + groups[partner], taken) & (held[first] == -1)
    return scene.set(first[free], partner=partner[free])


#: What is put into lots in turn: the change, and its innocent reason.
KINDS: dict[str, tuple[Change, str]] = {
    "consultant_dongle": (_consultant, "one cost consultant priced for several bidders, each for itself"),
    "copy_shop": (_copy_shop, "the files were made at a copy shop that serves everybody"),
    "on_site_upload": (_on_site, "uploaded at the trading centre's own computer"),
    "buyers_files": (_buyers_files, "the buyer's own ceiling-price file is inside every bid"),
    "nat_ip": (_nat, "one address of a carrier that many customers share"),
    "same_name": (_namesakes, "managers of one name, with different document numbers"),
    "agency_phone": (_agency_phone, "the agency typed its own phone for everybody"),
    "local_mac": (_virtual_adapter, "only the virtual adapter's MAC is the same"),
    "placeholders": (_fillers, "fillers instead of hardware codes and phones"),
    "guarantee": (_insurer, "guarantees of one insurer, from its account"),
    "joint_venture": (_joint_venture, "partners of one joint bid use one computer"),
}
