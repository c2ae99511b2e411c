"""Texts as arrays of letters: what is compared, windows of it, and what two texts have in common.

Only letters and digits are compared. Blanks, line breaks, punctuation, dot leaders and invisible characters
differ between programs, and between a page and a paragraph. Full-width and half-width forms, capitals, and the
traditional characters that are frequent in Chinese records are evened out. No other traditional character is.

Every window of some letters has a hash. Windows show in linear time which texts share something. What is shown
to a person is compared letter by letter (`common_runs`). Two lengths are used. Long windows, as long as the
shortest run that counts, show who else has a text, because short pieces of a trade's language are everybody's.
Short windows take off what the buyer wrote (`Given`), because bidders repeat it in pieces.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.kernels.firms.traditional import SIMPLIFIED, TRADITIONAL

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Bits of a window's hash that are kept as its key. The others make room for the number of a bidder.
KEY_BITS = 48
_ROOM = np.uint64(64 - KEY_BITS)

#: Above this code point there are only ideographs, and each is written in one way.
_FOLDED_BELOW = 0x20000

#: A keyed token that stands for a number. It counts as about as many letters as the number has.
_TOKEN = re.compile(r"h1:[0-9a-f]{32}")
_TOKEN_LETTERS = 11

#: Odd numbers with well mixed bits, from splitmix64 (Steele, Lea and Flood 2014).
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xBF58476D1CE4E5B9)

#: A letter that stands between two files of one text. It is part of no common run.
BREAK = 0x110000


class Letters(NamedTuple):
    """The letters of a text.

    ``code`` holds the folded letters, ``origin`` the place of each in the text as it was; shape (letters,).
    """

    code: Codes
    origin: Ints


class Given(NamedTuple):
    """What the buyer wrote, as the ascending keys of its windows of ``length`` letters."""

    length: int
    key: Hashes

    def holds(self, code: Codes) -> Bools:
        """Say which letters of a text lie in a window that the buyer wrote, shape (letters,)."""
        return spread(is_in(keys(windows(code, self.length)), self.key), self.length, len(code))


class Text(NamedTuple):
    """A text made ready to be compared.

    Attributes:
        code: its letters.
        length: letters of a window.
        is_own: which windows are no known text, shape (letters - length + 1,) or 0.
        is_given: which letters stand in what the buyer wrote, shape (letters,).
        hashes: the distinct hashes of own windows, ascending.
        at: where each of them stands first.
    """

    code: Codes
    length: int
    is_own: Bools
    is_given: Bools
    hashes: Hashes
    at: Ints

    def own(self, first: int, length: int) -> Bools:
        """Say which letters of a run that this text shares are no known text, shape (length,)."""
        is_known = ~self.is_own[first : first + length - self.length + 1]
        return ~spread(is_known, self.length, length) & ~self.is_given[first : first + length]


class Runs(NamedTuple):
    """Runs of letters that two texts have in common; every array has the shape (runs,).

    ``first`` and ``second`` are where the run begins in either text, ``length`` its letters.
    """

    first: Ints
    second: Ints
    length: Ints


class SharedWindows(NamedTuple):
    """The windows of a lot that are no known text, and who shares them.

    Attributes:
        own: windows of each bidder that are no known text, shape (bidders,).
        key: keys of the windows that two bidders or more share, ascending; one row per window and bidder
            that holds it, shape (rows,).
        bidder: position of the bidder, ascending for each key, shape (rows,).
        common: ascending keys of the windows that are known because too many bidders hold them.
    """

    own: Ints
    key: Hashes
    bidder: Ints
    common: Hashes

    def of(self, chosen: Bools) -> SharedWindows:
        """Return some of the rows; those of one key go together."""
        return self._replace(key=self.key[chosen], bidder=self.bidder[chosen])

    def pairs(self) -> tuple[Ints, Ints]:
        """Return pairs of bidders, shape (pairs, 2), first < second, and how many windows each shares."""
        bidders = max(len(self.own), 1)
        starts = _starts(self.key)
        size = np.diff(np.append(starts, len(self.key)))
        met = [np.empty(0, dtype=np.int64)]
        for holders in np.unique(size[size > 1]).tolist():
            together = self.bidder[starts[size == holders][:, None] + np.arange(holders)]
            one, other = np.triu_indices(holders, 1)
            met.append((together[:, one] * bidders + together[:, other]).ravel())
        pair = np.sort(np.concatenate(met))
        starts = _starts(pair)
        return np.stack(np.divmod(pair[starts], bidders), axis=1), np.diff(np.append(starts, len(pair)))

    def holders(self) -> Ints:
        """Return, for every row, how many bidders of the lot hold its window."""
        size = np.diff(np.append(_starts(self.key), len(self.key)))
        return np.repeat(size, size)


def letters(text: str) -> Letters:
    """Return the letters of a text as they are compared."""
    point = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    table = _folding()
    code = table[np.minimum(point, _FOLDED_BELOW - 1)]
    if point.max(initial=0) >= _FOLDED_BELOW:
        code = np.where(point < _FOLDED_BELOW, code, point)
    for token in _TOKEN.finditer(text):
        code[token.start() + len("h1:") + _TOKEN_LETTERS - 2 : token.end()] = 0
    at = np.flatnonzero(code)
    return Letters(code[at], at)


def plain(code: Codes) -> str:
    """Return letters as text."""
    return code.tobytes().decode("utf-32-le")


def windows(code: Codes, length: int) -> Hashes:
    """Return the hash of every run of ``length`` letters, shape (letters - length + 1,), or (0,) for a shorter text.

    The hash is a polynomial in the letters modulo 2^64. It is put together from shorter windows by doubling, and
    then mixed so that all its bits can be used.
    """
    if len(code) < length:
        return np.empty(0, dtype=np.uint64)
    made, made_length = np.zeros(len(code) + 1, dtype=np.uint64), 0
    single, single_length = code.astype(np.uint64) * _MIX, 1
    while True:
        if length & single_length:
            count = len(code) - made_length - single_length + 1
            made = made[:count] * _power(single_length) + single[made_length : made_length + count]
            made_length += single_length
        if made_length == length:
            break
        count = len(code) - 2 * single_length + 1
        single = single[:count] * _power(single_length) + single[single_length : single_length + count]
        single_length *= 2
    return mixed(made)


def mixed(hashes: Hashes) -> Hashes:
    """Return hashes whose every bit depends on every bit."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX
    return hashes ^ (hashes >> np.uint64(31))


def keys(hashes: Hashes) -> Hashes:
    """Return the keys of windows: the first `KEY_BITS` bits of their hashes."""
    return hashes >> _ROOM


def ascending(values: Hashes) -> Hashes:
    """Return the distinct values in order. Sorting is faster here than ``numpy.unique``, which hashes."""
    values = np.sort(values)
    distinct: Hashes = values[_starts(values)]
    return distinct


def is_in(values: Hashes, known: Hashes) -> Bools:
    """Say which values are among ``known``, which is ascending."""
    if len(known) == 0:
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[at] == values)


def shared_windows(texts: list[Hashes], known: Hashes, max_holders: int) -> SharedWindows:
    """Find the windows that some bidders of a lot share, without comparing every two of them.

    All windows of all bidders are sorted once. A window that is known (the tender document's, a template's)
    or that more than ``max_holders`` bidders hold counts for nobody.

    Args:
        texts: hashes of the windows of each bidder, any order, with or without repetitions; at most
            2^16 bidders.
        known: ascending keys of known text.
        max_holders: 2 or more.
    """
    room = np.uint64(2**16 - 1)
    held = np.concatenate(
        [np.empty(0, np.uint64), *((text & ~room) | np.uint64(at) for at, text in enumerate(texts))]
    )
    held = ascending(held)
    key, bidder = keys(held), (held & room).astype(np.int64)
    starts = _starts(key)
    size = np.diff(np.append(starts, len(key)))
    is_own = (size <= max_holders) & ~is_in(key[starts], known)
    own = np.bincount(bidder[np.repeat(is_own, size)], minlength=len(texts))
    is_shared = np.repeat(is_own & (size > 1), size)
    return SharedWindows(own, key[is_shared], bidder[is_shared], key[starts][size > max_holders])


def without_joints(
    texts: list[list[Hashes]], length: int, found: SharedWindows, known: Hashes
) -> SharedWindows:
    """Leave out the windows in which two known texts meet.

    Bidders who leave the same sentence out of a known text share windows around the gap. Others do not have
    these windows, but all their letters stand in known windows.

    Args:
        texts: of every bidder the hashes of the windows of each of its files, in the order of the text.
        length: letters of a window.
        found: of these texts.
        known: ascending keys of known text.
    """
    kept = np.ones(len(found.key), dtype=bool)
    for bidder in np.unique(found.bidder).tolist():
        theirs = np.flatnonzero(found.bidder == bidder)
        free = [np.empty(0, dtype=np.uint64)]
        for file in texts[bidder]:
            key = keys(file)
            is_known = is_in(key, found.common) | is_in(key, known)
            left = np.concatenate(([0], np.cumsum(~spread(is_known, length, len(key) + length - 1))))
            free.append(key[left[length:] > left[: len(key)]])
        kept[theirs] = is_in(found.key[theirs], ascending(np.concatenate(free)))
    return found.of(kept)


def prepared(code: Codes, length: int, own: Hashes, given: Given) -> Text:
    """Make a text ready to be compared.

    Args:
        code: its letters.
        length: letters of a window.
        own: ascending keys of the windows of this length that are no known text.
        given: what the buyer wrote.
    """
    hashes = windows(code, length)
    chosen = is_in(keys(hashes), own)
    for end in np.flatnonzero(code >= BREAK).tolist():
        chosen[max(end - length + 1, 0) : end + 1] = False
    at = np.flatnonzero(chosen)
    order = np.argsort(hashes[at], kind="stable")
    found = hashes[at][order]
    starts = _starts(found)
    return Text(code, length, chosen, given.holds(code), found[starts], at[order][starts])


def common_runs(one: Text, other: Text, min_length: int) -> Runs:
    """Return the runs of letters that two texts have in common, letter by letter, in the order of the first.

    A run starts from an own window that both texts hold, at the place where either holds it first, and grows as
    far as the letters are equal. So a passage that stands several times in a text counts once, and no run can be
    longer on either side. The second text against the first gives the same runs.

    Args:
        one, other: the texts, with windows of the same length.
        min_length: letters of the shortest run, no less than those of a window.
    """
    first, second = one.code, other.code
    at = np.minimum(np.searchsorted(other.hashes, one.hashes), len(other.hashes) - 1)
    is_common = other.hashes[at] == one.hashes if len(other.hashes) else np.zeros(len(one.hashes), dtype=bool)
    i, j = one.at[is_common], other.at[at[is_common]]
    order = np.lexsort((i, i - j))
    i, j = i[order], j[order]
    # Windows that follow each other in both texts are one seed.
    is_start = np.append(True, (np.diff(i) != 1) | (np.diff(j) != 1))[: len(i)]
    found = []
    diagonal, end = None, -1
    for a, b in zip(i[is_start].tolist(), j[is_start].tolist(), strict=True):
        if a - b == diagonal and a < end:
            continue
        back = _equal(first[:a][::-1], second[:b][::-1])
        length = back + _equal(first[a:], second[b:])
        if length >= min_length:
            found.append((a - back, b - back, length))
        diagonal, end = a - b, a - back + length
    runs = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    return Runs(runs[:, 0], runs[:, 1], runs[:, 2])


def spread(is_start: Bools, length: int, letters: int) -> Bools:
    """Say which letters lie in a window whose start is marked, shape (letters,).

    Args:
        is_start: per window, shape (letters - length + 1,) or shorter.
        length: letters of a window.
        letters: of the text.
    """
    steps = np.zeros(letters + 1, dtype=np.int64)
    at = np.flatnonzero(is_start)
    np.add.at(steps, at, 1)
    np.add.at(steps, at + length, -1)
    return np.cumsum(steps[:-1]) > 0


def _equal(first: Codes, second: Codes) -> int:
    """Return how many letters two texts have in common from their beginning."""
    size, done = min(len(first), len(second)), 0
    step = 64
    while done < size:
        end = min(done + step, size)
        differs = (first[done:end] != second[done:end]) | (first[done:end] >= BREAK)
        if differs.any():
            return done + int(differs.argmax())
        done, step = end, step * 4
    return size


def _starts(values: Hashes | Ints) -> Ints:
    """Return where each value of an ascending array begins."""
    return np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])


def _power(exponent: int) -> np.uint64:
    return np.uint64(pow(_BASE, exponent, 2**64))


@cache
def _folding() -> Codes:
    """Return what every code point below `_FOLDED_BELOW` is compared as; 0 for what is not compared."""
    simplified = dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))
    table = np.zeros(_FOLDED_BELOW, dtype=np.uint32)
    for point in range(_FOLDED_BELOW):
        character = chr(point)
        form = unicodedata.normalize("NFKC", character).lower()
        if len(form) != 1:
            form = character
        if unicodedata.category(form)[0] in "LN":
            table[point] = ord(simplified.get(form, form))
    return table
