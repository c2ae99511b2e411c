"""Phrases with one letter taken out: how they are usually written, and where a text departs from that.

A phrase is a letter with some letters before and after it, its sides. Where nearly all who write the same sides
put the same letter in the middle, another letter there is a slip or another word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from detectors.kernels.texts.texts import Bools, Codes, Hashes, Ints, mixed, windows

#: Letters that count or order. Another one is another value and no slip.
NUMERALS = np.array([ord(letter) for letter in "〇零一二三四五六七八九十百千万亿两半双甲乙丙丁戊己庚辛壬癸"])

#: Counters by which rare contexts are sorted out before they are counted exactly. Bounds memory only.
_COUNTERS = 2**22


class Phrases(NamedTuple):
    """Every phrase of a text, in order; arrays have the shape (letters - 2 * side,), or (0,) for a short text.

    ``context`` is the hash of the sides, ``middle`` the letter between them, ``whole`` the hash of both.
    """

    context: Hashes
    middle: Codes
    whole: Hashes

    @staticmethod
    def of(code: Codes, side: int) -> Phrases:
        """Take a text apart into phrases with ``side`` letters on each side."""
        sides = windows(code, side)
        count = max(len(sides) - side - 1, 0)
        context = mixed(sides[:count] ^ mixed(sides[side + 1 :][:count]))
        middle = code[side : side + count]
        return Phrases(context, middle, mixed(context ^ mixed(middle.astype(np.uint64))))

    def distinct(self) -> Phrases:
        """Return every phrase once, in the order of ``whole``."""
        order = np.argsort(self.whole)
        whole = self.whole[order]
        order = order[np.append(True, whole[1:] != whole[:-1])[: len(whole)]]
        return Phrases(*(part[order] for part in self))


class Departures(NamedTuple):
    """Where a text departs from what is usual.

    Attributes:
        here: phrases of the text with another letter in the middle.
        usual: the places of their contexts in `Usual`.
        amid: how many of the nearest phrases before and after each, that do not hold its letter, are written as
            usual.
        known: the places of all contexts that the text has, in order.
    """

    here: Ints
    usual: Ints
    amid: Ints
    known: Ints


class Usual(NamedTuple):
    """How phrases are usually written.

    Attributes:
        context: ascending.
        middle: the usual letter.
        bits: which values the low bits of contexts have; shape a power of two.
    """

    context: Hashes
    middle: Codes
    bits: Bools

    @staticmethod
    def learnt(texts: Iterable[Phrases], min_writers: int, min_share: float) -> Usual:
        """Learn it from texts of different writers.

        Args:
            texts: one of each writer.
            min_writers: writers that put the same letter in the middle.
            min_share: of all writers that have the letters around.
        """
        every = joined(text.distinct() for text in texts)
        # A table of counters sorts most contexts out: one that is rare in it is rare.
        bucket = (every.context & np.uint64(_COUNTERS - 1)).astype(np.int64)
        is_frequent = np.bincount(bucket, minlength=_COUNTERS)[bucket] >= min_writers
        return _most(every.context[is_frequent], every.middle[is_frequent], min_writers, min_share)

    @staticmethod
    def written(text: Phrases) -> Usual:
        """Take over how a text writes the phrases that it writes in one way only."""
        every = text.distinct()
        order = np.argsort(every.context)
        context, middle = every.context[order], every.middle[order]
        is_new = np.append(True, context[1:] != context[:-1])[: len(context)]
        is_alone = is_new & np.append(is_new[1:], True)[: len(context)]
        return _looked_up(context[is_alone], middle[is_alone])

    def departures(self, phrases: Phrases, side: int, near: int) -> Departures:
        """Compare a text with what is usual; letters that count or order, and letters of other scripts, are skipped.

        Args:
            phrases: of the text, with ``side`` letters on each side.
            side: letters.
            near: phrases before a departure, and as many after it, that are looked at for ``amid``.
        """
        # Most phrases of a text are unknown, and the table turns them away at once.
        here = np.flatnonzero(self.bits[phrases.context & np.uint64(len(self.bits) - 1)])
        if len(self.context) == 0:
            return Departures(here, here, here, here)
        at = np.minimum(np.searchsorted(self.context, phrases.context[here]), len(self.context) - 1)
        is_known = self.context[at] == phrases.context[here]
        here, at = here[is_known], at[is_known]
        known = np.zeros(len(self.context), dtype=bool)
        known[at] = True
        is_same = self.middle[at] == phrases.middle[here]
        before = np.zeros(len(phrases.context) + 1, dtype=np.int64)
        before[here[is_same] + 1] = 1
        before = np.cumsum(before)
        differs = np.flatnonzero(~is_same)
        differs = differs[_is_word(self.middle[at[differs]]) & _is_word(phrases.middle[here[differs]])]
        here, at = here[differs], at[differs]
        ends = [
            np.clip(here + step, 0, len(phrases.context))
            for step in (-side - near, -side, side + 1, side + 1 + near)
        ]
        amid = before[ends[1]] - before[ends[0]] + before[ends[3]] - before[ends[2]]
        return Departures(here, at, amid, np.flatnonzero(known))


def joined(texts: Iterable[Phrases]) -> Phrases:
    """Return the phrases of several texts."""
    none = Phrases(np.empty(0, np.uint64), np.empty(0, np.uint32), np.empty(0, np.uint64))
    return Phrases(*(np.concatenate(parts) for parts in zip(none, *texts, strict=True)))


def _most(context: Hashes, middle: Codes, min_writers: int, min_share: float) -> Usual:
    """Return the letters that enough writers put in the middle, from one row per writer and phrase."""
    order = np.lexsort((middle, context))
    context, middle = context[order], middle[order]
    is_new = np.append(True, context[1:] != context[:-1])[: len(context)]
    starts = np.flatnonzero(is_new | np.append(True, middle[1:] != middle[:-1])[: len(context)])
    writers = np.diff(np.append(starts, len(context)))
    of_context = (np.cumsum(is_new) - 1)[starts]
    all_writers = np.bincount(of_context, writers, minlength=1)[of_context]
    is_usual = (writers >= min_writers) & (writers >= min_share * all_writers)
    return _looked_up(context[starts][is_usual], middle[starts][is_usual])


def _looked_up(context: Hashes, middle: Codes) -> Usual:
    bits = np.zeros(2 ** max(16 * len(context), 2).bit_length(), dtype=bool)
    bits[context & np.uint64(len(bits) - 1)] = True
    return Usual(context, middle, bits)


def _is_word(code: Codes) -> Bools:
    return (code >= 0x4E00) & (code < 0xA000) & ~np.isin(code, NUMERALS)
