"""Files for the tests of document detectors: invented prose, and an index of whose file it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

#: Characters of the prose: the commonest ideographs.
CHARACTERS = np.array([chr(point) for point in range(0x4E00, 0x4E00 + 3000)])


class Filing:
    """Fills the tables of documents of a market; every method returns itself.

    The same content filed twice is one file with two rows of the index.
    """

    def __init__(self, market: object) -> None:
        self.market = market
        self.known: set[str] = set()

    def bid(self, lot: str, bidder: str, *parts: str, name: str = "bid.docx") -> Filing:
        """File a bid with these paragraphs."""
        return self.file(lot, bidder, "bid", name, parts)

    def tender(self, lot: str, *parts: str) -> Filing:
        """Publish a tender document."""
        return self.file(lot, None, "tender", "tender.docx", parts)

    def template(self, *parts: str, lot: str | None = None) -> Filing:
        """Hand out a template, by default for every lot."""
        return self.file(lot, None, "template", "template.docx", parts)

    def file(
        self, lot: str | None, bidder: str | None, kind: str, name: str, parts: tuple[str, ...]
    ) -> Filing:
        """Add a file to the index, and its paragraphs where its content is new."""
        sha = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        row = {"lot_id": [lot], "bidder_id": [bidder], "kind": kind, "file_name": name, "file_hash": sha}
        self.market.append("bid_files", pd.DataFrame(row | {"file_sha": sha}).astype("str"))
        if sha not in self.known:
            self.known.add(sha)
            numbers = range(1, len(parts) + 1)
            places = [f"paragraph {number} 第{number}段" for number in numbers]
            self.market.append(
                "file_parts",
                pd.DataFrame({"file_sha": sha, "part_no": numbers, "place": places, "text": parts}),
            )
        return self

    def named(self, **names: str) -> Filing:
        """Give parties their names."""
        rows = pd.DataFrame({"party_id": names.keys(), "name": names.values()}).astype("str")
        self.market.append("party_names", rows.assign(name_key=rows["name"], records=1))
        self.market.append("parties", rows)
        return self


@pytest.fixture
def filing(market: object) -> Filing:
    """Give the market's files."""
    return Filing(market)


@pytest.fixture
def prose() -> Callable[..., str]:
    """Give a writer: the same seed writes the same text, another seed shares no twelve letters with it."""

    def write(seed: int, letters: int = 2000) -> str:
        rng = np.random.default_rng(seed)
        return "".join(rng.choice(CHARACTERS, letters))

    return write
