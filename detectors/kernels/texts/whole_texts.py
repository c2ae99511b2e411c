"""All that one bidder filed in a lot as one text, the runs that two such texts have in common, and where they stand."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from detectors.kernels.texts.texts import BREAK, Codes, Ints, Text, common_runs, letters

#: Characters of an excerpt that is shown. It decides nothing.
EXCERPT = 80


class OwnRuns(NamedTuple):
    """Common runs of two texts with what is known text taken off; every array has the shape (runs,).

    ``own`` are the letters of a run that are no known text. ``common`` is the number of own letters in all runs,
    each counted once. Where the two texts differ in this number, it is the smaller one.
    """

    first: Ints
    second: Ints
    length: Ints
    own: Ints
    common: int


class _Document(NamedTuple):
    name: str
    text: str
    origin: Ints  # place of each letter in the text
    starts: Ints  # place of each part in the text
    places: list[str]


class WholeText:
    """All that one bidder filed in a lot, as one row of letters, and where each letter stands.

    Attributes:
        code: the letters of all files, each followed by `BREAK`.
        first: where the letters of each file begin, by the file's hash.
    """

    def __init__(self, documents: list[tuple[str, str, pa.Table]]) -> None:
        """Take the hash, the name and the parts of every file."""
        self.code: Codes = np.empty(0, dtype=np.uint32)
        self._documents: list[_Document] = []
        self._starts: list[int] = []
        self.first: dict[str, int] = {}
        for sha, name, parts in documents:
            texts, places = parts["text"].to_pylist(), parts["place"].to_pylist()
            text = "\n".join(texts)
            code, origin = letters(text)
            starts = np.cumsum([0, *(len(part) + 1 for part in texts)])[:-1]
            self.first[sha] = len(self.code)
            self._starts.append(len(self.code))
            self._documents.append(_Document(name, text, origin, starts, places))
            end = np.array([BREAK], dtype=np.uint32)
            self.code = np.concatenate([self.code, code, end])

    def part(self, letter: int) -> tuple[int, int]:
        """Return the first letter of the page or paragraph in which a letter stands, and the end of it."""
        document, within = self._found(letter)
        number = int(np.searchsorted(document.starts, document.origin[within], side="right"))
        first = np.searchsorted(document.origin, document.starts[number - 1])
        end = (
            np.searchsorted(document.origin, document.starts[number])
            if number < len(document.starts)
            else len(document.origin)
        )
        return letter - within + int(first), letter - within + int(end)

    def place(self, letter: int) -> str:
        """Return the file and the page or paragraph in which a letter stands, for people."""
        document, within = self._found(letter)
        number = int(np.searchsorted(document.starts, document.origin[within], side="right"))
        return f"{document.name} {document.places[number - 1]}".strip()

    def excerpt(self, first: int, length: int) -> str:
        """Return the text of a run as it stands in the file, cut to `EXCERPT` characters."""
        document, within = self._found(first)
        last = min(within + length, len(document.origin)) - 1
        text = " ".join(document.text[document.origin[within] : document.origin[last] + 1].split())
        return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"

    def _found(self, letter: int) -> tuple[_Document, int]:
        number = bisect_right(self._starts, letter) - 1
        return self._documents[number], letter - self._starts[number]


def own_runs(one: Text, other: Text, min_run: int) -> OwnRuns:
    """Return the common runs of two texts with at least ``min_run`` letters that are no known text."""
    runs = common_runs(one, other, min_run)
    own = np.zeros(len(runs.length), dtype=np.int64)
    covered = np.zeros(len(one.code), dtype=bool), np.zeros(len(other.code), dtype=bool)
    for number, (here, there, length) in enumerate(zip(*(run.tolist() for run in runs), strict=True)):
        is_left = one.own(here, length)
        own[number] = is_left.sum()
        if own[number] >= min_run:
            covered[0][here : here + length] |= is_left
            covered[1][there : there + length] |= is_left
    kept = own >= min_run
    common = int(min(covered[0].sum(), covered[1].sum()))
    return OwnRuns(runs.first[kept], runs.second[kept], runs.length[kept], own[kept], common)


def passages(runs: OwnRuns, gap: int) -> int:
    """Return the number of passages. Runs closer than ``gap`` letters in both texts are one passage."""
    if len(runs.first) == 0:
        return 0
    apart = runs.first[1:] - (runs.first + runs.length)[:-1]
    apart_there = runs.second[1:] - (runs.second + runs.length)[:-1]
    return 1 + int(((apart > gap) | (np.abs(apart_there) > gap)).sum())
