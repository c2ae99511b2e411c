"""The texts of bid files, read a few million letters at a time, and what the bidders of a lot share.

Nothing here holds the texts of a whole county. Lots are read in batches. A lot too large for one batch is read
several times, each time for another part of its windows. All files of a bidder in a lot are one text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from detectors.interface import Engine, Need
from detectors.kernels.firms.sharing import ONE_BID
from detectors.kernels.texts.texts import (
    Codes,
    Given,
    Hashes,
    Ints,
    SharedWindows,
    ascending,
    keys,
    letters,
    mixed,
    shared_windows,
    windows,
    without_joints,
)
from detectors.kernels.texts.whole_texts import WholeText

#: Characters read at a time. Bounds memory only: some tens of megabytes with all that is made of them.
BATCH = 6_000_000

FILES = (
    ONE_BID
    + """,
sizes AS (
    SELECT file_sha, CAST(sum(length(text)) AS BIGINT) AS characters FROM core.file_parts GROUP BY file_sha
)
SELECT DISTINCT f.lot_id, CASE WHEN f.kind = 'bid' THEN coalesce(o.bidder_id, f.bidder_id) END AS bidder_id,
       f.kind, f.file_sha, coalesce(f.file_name, '') AS file_name, s.characters
FROM core.bid_files AS f
JOIN sizes AS s ON s.file_sha = f.file_sha
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
WHERE s.characters > 0 AND (f.kind <> 'bid' OR f.bidder_id IS NOT NULL)
ORDER BY f.lot_id NULLS FIRST, bidder_id NULLS FIRST, f.file_sha, f.kind, file_name
"""
)

OF_LOTS = """
SELECT p.file_sha, p.text, p.place
FROM core.file_parts AS p
JOIN (SELECT DISTINCT file_sha FROM core.bid_files
      WHERE lot_id BETWEEN $first_lot AND $last_lot) AS f ON f.file_sha = p.file_sha
WHERE p.file_sha BETWEEN $first_file AND $last_file
ORDER BY p.file_sha, p.part_no
"""

OF_FILES = """
SELECT p.file_sha, p.text, p.place
FROM core.file_parts AS p
WHERE p.file_sha BETWEEN $first_file AND $last_file
ORDER BY p.file_sha, p.part_no
"""


#: Bidders whose files are compared need a text each, and a second bidder with one.
NEEDS = (
    Need(
        "no bid files with text",
        "未收到含文字的投标文件",
        f"SELECT lot_id AS unit FROM ({FILES}) AS filed WHERE kind = 'bid'",
    ),
    Need(
        "only one bidder's files have text",
        "仅一家投标人的文件含文字",
        f"SELECT lot_id AS unit FROM ({FILES}) AS filed WHERE kind = 'bid'"
        " GROUP BY lot_id HAVING count(DISTINCT bidder_id) >= 2",
    ),
)


class Lot(NamedTuple):
    """One lot's texts, as hashes of their windows.

    ``bidders`` are in order, ``texts`` belong to them, one for each of their files; ``known`` are ascending keys
    of the windows of the tender document and of templates; ``has_tender`` says whether a tender document was
    read; ``is_whole`` is false for one of several parts.
    """

    lot_id: str
    bidders: list[str]
    texts: list[list[Hashes]]
    known: Hashes
    has_tender: bool
    is_whole: bool


class LotWindows(NamedTuple):
    """What the bidders of one lot share; positions in ``found`` are those of ``bidders``."""

    lot_id: str
    bidders: list[str]
    has_tender: bool
    found: SharedWindows


@dataclass(frozen=True)
class BidTexts:
    """The files with text of a snapshot.

    ``files``: one row per lot, owner and file, in this order: lot_id, bidder_id (of the bid; null for the
    buyer's files), kind, file_sha, file_name, characters.
    """

    engine: Engine
    files: pd.DataFrame

    @staticmethod
    def of(engine: Engine) -> BidTexts:
        """Find the files with text, and whose they are."""
        return BidTexts(engine, engine.run(FILES).to_pandas())

    @property
    def bids(self) -> pd.DataFrame:
        """The bidders' own files."""
        return self.files[self.files["kind"] == "bid"]

    @cached_property
    def templates(self) -> list[Codes]:
        """The letters of every template that stands behind every lot."""
        shas = self.files.loc[self.files["lot_id"].isna(), "file_sha"].unique()
        return [
            code for sha in shas for _, code in self._read(OF_FILES, {"first_file": sha, "last_file": sha})
        ]

    def batches(self, chosen: Collection[str] | None = None) -> Iterator[pd.DataFrame]:
        """Give the rows of ``files`` of neighbouring lots, as many as fit. A very large lot comes alone.

        Args:
            chosen: lots to give, by default all in which a bidder filed a text.
        """
        owned = self.files[self.files["lot_id"].notna()]
        sizes = owned.groupby("lot_id", sort=True)["characters"].sum()
        is_wanted = sizes.index.isin(self.bids["lot_id"] if chosen is None else list(chosen))
        wanted, left_out = sizes[is_wanted], np.cumsum(~is_wanted)[is_wanted]
        for _, lots in wanted.groupby(left_out):
            for first, end in _batches(lots.to_numpy(dtype=np.int64)):
                yield owned[owned["lot_id"].between(lots.index[first], lots.index[end - 1])]

    def codes(self, batch: pd.DataFrame) -> Iterator[tuple[str, Codes]]:
        """Give the letters of every file of a batch once."""
        lots = {"first_lot": batch["lot_id"].min(), "last_lot": batch["lot_id"].max()}
        yield from self._by_file(OF_LOTS, batch, lots)

    def all_codes(self, owned: pd.DataFrame) -> Iterator[tuple[str, Codes]]:
        """Give the letters of chosen files of the snapshot, each once, in the order of the files' hashes.

        Args:
            owned: the rows of ``files`` that are wanted.
        """
        yield from self._by_file(OF_FILES, owned, {})

    def given(self, lots: Collection[str], length: int) -> Given:
        """Return what the buyers of some lots wrote, templates included, as windows of ``length`` letters."""
        is_given = self.files["lot_id"].isin(list(lots)) & (self.files["kind"] != "bid")
        read = [
            code for _, of_lot in self.files[is_given].groupby("lot_id") for _, code in self.codes(of_lot)
        ]
        found = [keys(windows(code, length)) for code in (*read, *self.templates)]
        return Given(length, ascending(np.concatenate([np.empty(0, dtype=np.uint64), *found])))

    def lots(self, length: int, chosen: Collection[str] | None = None) -> Iterator[Lot]:
        """Give every lot in which a bidder filed a text, in order. A very large one comes in several parts.

        Each part holds other windows of the same lot, so that counts of windows add up.

        Args:
            length: letters of a window.
            chosen: lots to give, by default all.
        """
        nothing = np.empty(0, dtype=np.uint64)
        general = [keys(windows(code, length)) for code in self.templates]
        templates = ascending(np.concatenate([nothing, *general]))
        for batch in self.batches(chosen):
            parts = int(-(-batch["characters"].sum() // BATCH))
            for part in range(parts):
                read: dict[str, Hashes] = {}
                for sha, code in self.codes(batch):
                    hashes = windows(code, length)
                    read[sha] = hashes if parts == 1 else hashes[mixed(hashes) % np.uint64(parts) == part]
                for lot_id, of_lot in batch.groupby("lot_id", sort=True):
                    yield _lot(str(lot_id), of_lot, read, templates)._replace(is_whole=parts == 1)

    def shared(
        self,
        length: int,
        max_holders: Callable[[int, bool], int],
        min_windows: int,
        chosen: Collection[str] | None = None,
    ) -> Iterator[LotWindows]:
        """Give what the bidders of every lot share.

        Args:
            length: letters of a window.
            max_holders: takes the number of bidders with text and whether a tender document was read, and
                returns how many bidders at most may hold a window that is no known text.
            min_windows: two bidders that share so many are worth a closer look.
            chosen: lots to give, by default all.
        """
        held: LotWindows | None = None
        for lot in self.lots(length, chosen):
            allowed = max_holders(len(lot.bidders), lot.has_tender)
            found = shared_windows([np.concatenate(files) for files in lot.texts], lot.known, allowed)
            if lot.is_whole and (found.pairs()[1] >= min_windows).any():
                found = without_joints(lot.texts, length, found, lot.known)
            if held is not None and held.lot_id == lot.lot_id:
                held = held._replace(found=_added(held.found, found))
                continue
            if held is not None:
                yield held
            held = LotWindows(lot.lot_id, lot.bidders, lot.has_tender, found)
        if held is not None:
            yield held

    def holders(self, length: int, wanted: Hashes) -> Ints:
        """Return how many bidders, over all lots, have a window of each key in their files.

        Args:
            length: letters of a window.
            wanted: ascending keys, shape (keys,).
        """
        if len(wanted) == 0:
            return np.empty(0, dtype=np.int64)
        # Most windows of a county are none of the wanted: a table of bits turns them away at once.
        size = 2 ** int(np.clip(np.ceil(np.log2(len(wanted) * 16)), 16, 27))
        low = np.uint64(size - 1)
        bits = np.zeros(size, dtype=bool)
        bits[wanted & low] = True
        bids = self.bids
        bidder, bidders = pd.factorize(bids["bidder_id"], sort=True)
        owners = bids.assign(bidder=bidder).groupby("file_sha", sort=True)["bidder"].unique()
        held = [np.empty(0, dtype=np.int64)]
        waiting = 0
        for sha, code in self.all_codes(bids):
            key = keys(windows(code, length))
            at = _places(wanted, ascending(key[bits[key & low]]))
            held.extend(at * len(bidders) + int(owner) for owner in owners[sha])
            waiting += len(at) * len(owners[sha])
            if waiting > BATCH:
                held, waiting = [np.unique(np.concatenate(held))], 0
        pairs = np.unique(np.concatenate(held))
        return np.bincount(pairs // max(len(bidders), 1), minlength=len(wanted))

    def whole(self, lot_id: str, bidders: Collection[str]) -> list[WholeText]:
        """Read all that some bidders filed in a lot. A lot that fits in a batch is read at once."""
        of_lot = self.files[self.files["lot_id"] == lot_id]
        theirs = of_lot[of_lot["bidder_id"].isin(list(bidders))].drop_duplicates(["bidder_id", "file_sha"])
        shas = theirs["file_sha"].drop_duplicates().sort_values()
        ends = [(shas.iloc[0], shas.iloc[-1])]
        if of_lot["characters"].sum() > BATCH:
            ends = [(sha, sha) for sha in shas]
        read: dict[str, pa.Table] = {}
        for first, last in ends:
            between = {"first_file": first, "last_file": last, "first_lot": lot_id, "last_lot": lot_id}
            read.update(_parts(self.engine.run(OF_LOTS, between)))
        made = []
        for bidder in bidders:
            named = theirs.loc[theirs["bidder_id"] == bidder, ["file_sha", "file_name"]]
            made.append(WholeText([(sha, name, read[sha]) for sha, name in named.itertuples(index=False)]))
        return made

    def _by_file(self, sql: str, owned: pd.DataFrame, lots: dict[str, object]) -> Iterator[tuple[str, Codes]]:
        files = owned.groupby("file_sha", sort=True)["characters"].first()
        for first, end in _batches(files.to_numpy(dtype=np.int64)):
            ends = {"first_file": files.index[first], "last_file": files.index[end - 1]}
            for sha, code in self._read(sql, lots | ends):
                if sha in files.index:
                    yield sha, code

    def _read(self, sql: str, ends: dict[str, object]) -> Iterator[tuple[str, Codes]]:
        for sha, parts in _parts(self.engine.run(sql, ends)):
            yield sha, letters("\n".join(parts["text"].to_pylist())).code


def _lot(lot_id: str, owned: pd.DataFrame, read: dict[str, Hashes], templates: Hashes) -> Lot:
    by_bidder: dict[str, list[Hashes]] = {}
    buyers = []
    for bidder_id, kind, sha in owned[["bidder_id", "kind", "file_sha"]].itertuples(index=False):
        if kind == "bid":
            by_bidder.setdefault(bidder_id, []).append(read[sha])
        else:
            buyers.append(keys(read[sha]))
    known = ascending(np.concatenate([templates, *buyers])) if buyers else templates
    texts = [found for _, found in sorted(by_bidder.items())]
    return Lot(lot_id, sorted(by_bidder), texts, known, bool((owned["kind"] == "tender").any()), True)


def _added(one: SharedWindows, other: SharedWindows) -> SharedWindows:
    """Add up two parts of a lot's windows."""
    key = np.concatenate([one.key, other.key])
    order = np.argsort(key, kind="stable")
    bidder = np.concatenate([one.bidder, other.bidder])
    common = ascending(np.concatenate([one.common, other.common]))
    return SharedWindows(one.own + other.own, key[order], bidder[order], common)


def _batches(sizes: Ints) -> Iterator[tuple[int, int]]:
    """Cut rows into runs of at most `BATCH` characters. A larger row is a run of its own."""
    first = total = 0
    for row, size in enumerate(sizes.tolist()):
        if row > first and total + size > BATCH:
            yield first, row
            first, total = row, 0
        total += size
    if first < len(sizes):
        yield first, len(sizes)


def _parts(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Give the parts of every file of a table that is ordered by file."""
    if len(table) == 0:
        return
    sha = table["file_sha"].combine_chunks().dictionary_encode()
    number = sha.indices.to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.append(True, number[1:] != number[:-1])).tolist()
    for start, end in zip(starts, [*starts[1:], len(number)], strict=True):
        yield sha.dictionary[int(number[start])].as_py(), table.slice(start, end - start)


def _places(known: Hashes, values: Hashes) -> Ints:
    """Return where in ``known``, ascending, those of some ascending values stand that are there."""
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: Ints = at[known[at] == values]
    return found
