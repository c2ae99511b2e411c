"""Which bidder's files name another bidder of the same lot, and where.

A name is looked for letter by letter, in every form in which it was ever delivered. So is the credit code.
Names that are too short to be told from words are not looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.interface import Engine, Need
from detectors.kernels.firms.sharing import ONE_BID, SEATS
from detectors.kernels.texts.bid_texts import FILES, BidTexts
from detectors.kernels.texts.texts import Codes, Ints, letters, plain, windows

# The organisations behind the bids of every lot, with every name they were delivered under and their code. A
# name that was delivered for two bidders of a lot names neither.
NAMES = (
    ONE_BID
    + SEATS
    + """,
named AS (
    SELECT party_id, name FROM core.party_names
    UNION
    SELECT party_id, party_id FROM core.parties WHERE party_id NOT LIKE 'name:%'
)
SELECT s.lot_id, n.name, min(s.bidder_id) AS bidder_id
FROM seats AS s
JOIN named AS n ON n.party_id = s.party_id
GROUP BY s.lot_id, n.name
HAVING count(DISTINCT s.bidder_id) = 1
ORDER BY s.lot_id, n.name
"""
)


#: The bidders that filed a text and have a known name.
AUTHORS = f"""
SELECT DISTINCT f.lot_id, f.bidder_id
FROM ({FILES}) AS f
JOIN ({NAMES}) AS n ON n.lot_id = f.lot_id AND n.bidder_id = f.bidder_id
WHERE f.kind = 'bid'
"""

TWO_NAMES = Need(
    "fewer than two bidders known by name",
    "名称已知的投标人不足两家",
    f"SELECT lot_id AS unit FROM ({NAMES}) AS named GROUP BY lot_id HAVING count(DISTINCT bidder_id) >= 2",
)


class Places(NamedTuple):
    """Where names stand in a text, in the text's order; both arrays have the shape (places,).

    ``first`` is the first letter, ``name`` the position of the name.
    """

    first: Ints
    name: Ints


class Names:
    """Names to be looked for in texts."""

    def __init__(self, names: Sequence[str], min_letters: int) -> None:
        """Take names as delivered; those of fewer letters are not looked for."""
        self.codes = [letters(name).code for name in names]
        self._head = min_letters  # letters by which a name is looked up before the rest is compared
        long = np.array(
            [at for at, code in enumerate(self.codes) if len(code) >= min_letters], dtype=np.int64
        )
        heads = np.array(
            [windows(self.codes[at][:min_letters], min_letters)[0] for at in long.tolist()], dtype=np.uint64
        )
        order = np.argsort(heads, kind="stable")
        self._heads, self._long = heads[order], long[order]

    def found(self, code: Codes) -> Places:
        """Return where the names stand in a text.

        Where one name stands inside another that is looked for, only the longer one is found: a branch is not
        its head office.
        """
        heads = windows(code, self._head)
        places: list[tuple[int, int]] = []
        if len(self._heads):
            at = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
            for first in np.flatnonzero(self._heads[at] == heads).tolist():
                end = int(np.searchsorted(self._heads, heads[first], side="right"))
                places += [
                    (first, name)
                    for name in self._long[at[first] : end].tolist()
                    if self._is(code, first, name)
                ]
        return self._longest(places)

    def _is(self, code: Codes, first: int, name: int) -> bool:
        looked_for = self.codes[name]
        return np.array_equal(code[first : first + len(looked_for)], looked_for)

    def _longest(self, places: list[tuple[int, int]]) -> Places:
        kept, end = [], -1
        for first, name in sorted(places, key=lambda place: (place[0], -len(self.codes[place[1]]), place[1])):
            if first + len(self.codes[name]) > end:
                end = first + len(self.codes[name])
                kept.append((first, name))
        rows = np.array(kept, dtype=np.int64).reshape(-1, 2)
        return Places(rows[:, 0], rows[:, 1])


class Naming(NamedTuple):
    """A place in a bidder's file that names another bidder of the lot.

    Attributes:
        owner: the bidder whose file it is.
        named: the other bidder.
        name: the name or code as delivered.
        file_sha: the file.
        first: the name's first letter in it.
        around: the letters before and after it.
        is_beside_own: a window beside it stands beside that name in the other bidder's own files, too; false
            where no windows were asked for.
    """

    owner: str
    named: str
    name: str
    file_sha: str
    first: int
    around: str
    is_beside_own: bool


class LotNamings(NamedTuple):
    """What the files of one lot's bidders say of each other.

    Attributes:
        lot_id: the lot.
        bidders: those with text and a name, in order.
        names: names of the lot's bidders by name.
        places: where a file names another bidder.
    """

    lot_id: str
    bidders: list[str]
    names: dict[str, str]
    places: list[Naming]


def namings(
    texts: BidTexts, min_letters: int, *, before: int = 0, after: int = 0, beside: int = 0
) -> Iterator[LotNamings]:
    """Give every lot in which at least two bidders with a known name bid and one of them filed a text.

    Names that the lot's tender document or its templates hold are left out, because the buyer named that firm to
    everybody.

    Args:
        texts: the files.
        min_letters: letters of the shortest name that is looked for.
        before, after: letters of the text around a name, for ``around``.
        beside: letters of the windows beside a name, for ``is_beside_own``. 0: none.
    """
    known = _known(texts.engine)
    bidders = {lot_id: set(of_lot.values()) for lot_id, of_lot in known.items()}
    for batch in texts.batches():
        owners: dict[str, list[tuple[str, str]]] = defaultdict(list)
        filed: dict[str, set[str]] = defaultdict(set)
        for lot_id, bidder, kind, sha in _rows(batch):
            if lot_id in known:
                owner = bidder if kind == "bid" else ""
                owners[sha].append((lot_id, owner))
                filed[lot_id] |= {owner} & bidders[lot_id]
        names = {lot_id: Names(list(known[lot_id]), min_letters) for lot_id in filed}
        found: dict[str, list[_Place]] = defaultdict(list)
        for sha, code in texts.codes(batch):
            for lot_id, owner in owners[sha]:
                found[lot_id] += _places(
                    code, names[lot_id], known[lot_id], owner, sha, (before, after), beside
                )
        for lot_id in sorted(filed):
            if filed[lot_id] and len(bidders[lot_id]) > 1:
                yield LotNamings(lot_id, sorted(filed[lot_id]), known[lot_id], _others(found[lot_id]))


def _known(engine: Engine) -> dict[str, dict[str, str]]:
    """Return, for every lot, the bidders by the names they may be called."""
    known: dict[str, dict[str, str]] = defaultdict(dict)
    columns = engine.run(NAMES).to_pydict()
    for lot_id, name, bidder in zip(columns["lot_id"], columns["name"], columns["bidder_id"], strict=True):
        known[lot_id][name] = bidder
    return known


def _rows(batch: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    columns = (batch[name].tolist() for name in ("lot_id", "bidder_id", "kind", "file_sha"))
    yield from zip(*columns, strict=True)


class _Place(NamedTuple):
    """A place in a file that names a bidder; ``owner`` is empty for the buyer's, ``beside`` the windows beside it."""

    naming: Naming
    beside: frozenset[int]


def _places(
    code: Codes,
    names: Names,
    bidders: dict[str, str],
    owner: str,
    sha: str,
    around: tuple[int, int],
    beside: int,
) -> Iterator[_Place]:
    """Give the places of a text that name a bidder; ``around`` are letters before and after, see `namings`."""
    found = names.found(code)
    by_number = list(bidders.items()) if len(found.first) else []
    hashes = windows(code, beside) if beside else np.empty(0, dtype=np.uint64)
    before, after = around
    for first, number in zip(found.first.tolist(), found.name.tolist(), strict=True):
        name, bidder = by_number[number]
        end = first + len(names.codes[number])
        windows_beside = frozenset(int(hashes[at]) for at in (first - beside, end) if 0 <= at < len(hashes))
        text = (
            ""
            if bidder == owner
            else f"{plain(code[max(first - before, 0) : first])} {plain(code[end : end + after])}"
        )
        yield _Place(Naming(owner, bidder, name, sha, first, text, False), windows_beside)


def _others(places: list[_Place]) -> list[Naming]:
    """Return the places that name another bidder than their owner and no firm that the buyer named."""
    buyers = {place.naming.name for place in places if not place.naming.owner}
    own: dict[str, set[int]] = defaultdict(set)
    for naming, beside in places:
        if naming.owner == naming.named:
            own[naming.named] |= beside
    return [
        naming._replace(is_beside_own=not beside.isdisjoint(own[naming.named]))
        for naming, beside in places
        if naming.owner not in ("", naming.named) and naming.name not in buyers
    ]
