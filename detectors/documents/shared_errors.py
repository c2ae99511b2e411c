"""Bid files of two bidders share slips of the pen that hardly anybody else makes.

Why it matters
    Everybody makes slips, but two people rarely make the same ones in the same places. Two bidders of a lot may
    write the same letter wrong in several phrases that everybody else writes in one way. Then one hand wrote both
    bids, or one copied the other. Slips survive where the text around them was rewritten.

Looks innocent when
    - the slip stands in something both were given. Phrases that the tender document or a template writes in that
      way are left out;
    - both files went through one program that reads pictures of text (OCR), which errs alike in all of them;
    - the two bid together as a joint venture. They count as one;
    - the other way of writing is right, and means something else. So enough of the phrases around a slip must be
      written as everybody writes them.

Blind spots
    Slips in passages that few bidders write, because the right way is learnt from what most write. Missing and
    doubled letters, and two slips close together. Numbers, because two bidders may honestly offer the same. Slips
    of a ring larger than ``max_writers``. Slips in scanned pages. A wrong project name that was copied whole.

Sources
    招标投标法实施条例 §40(4) 不同投标人的投标文件异常一致. The value is the log-likelihood ratio G² of Dunning (1993),
    Computational Linguistics 19, of the two-by-two table of phrases in which either errs. What counts as a slip,
    and how many shared slips count, are this project's own choice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.texts.bid_texts import NEEDS as TEXTS
from detectors.kernels.texts.bid_texts import BidTexts
from detectors.kernels.texts.phrases import Phrases, Usual, joined
from detectors.kernels.texts.texts import Bools, Codes, Hashes, Ints, ascending, is_in, plain
from detectors.kernels.texts.whole_texts import WholeText

DETECTOR = Detector(
    title="Bid files of two bidders share slips that hardly anybody else makes",
    title_zh="不同投标人的投标文件存在相同的罕见错误",
    unit="lot",
    measures="log-likelihood ratio G² of the slips that both make, no unit",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="Both bidders write {errors} phrases with the same wrong letter (limit {min_errors}) that at most"
    " {max_writers} bidders in any file write so: {shown}. One makes {first_errors} such slips and the other"
    " {second_errors} in at least {phrases} common phrases: G² {value:.1f} (limit {min_g2:.2f}). First:"
    " {first_place}: {first_excerpt} / Second: {second_place}: {second_excerpt}",
    says_zh="两家投标人有 {errors} 处相同的错字（阈值 {min_errors} 处），全部文件中至多 {max_writers} 家投标人如此：{shown}。"
    "在至少 {phrases} 个常用短语中，两家的罕见错误分别为 {first_errors} 处和 {second_errors} 处，G² 为 {value:.1f}（阈值 "
    "{min_g2:.2f}），属异常指标。甲：{first_place}：{first_excerpt}；乙：{second_place}：{second_excerpt}",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "errors": 3,
    "shown": "电缆桥架按装完成后 (安); 质量保征体系 (证); 投标保征金的缴 (证)",
    "first_errors": 4,
    "second_errors": 3,
    "phrases": 5200,
    "value": 46.1,
    "first_place": "technical.docx paragraph 31 第31段",
    "first_excerpt": "电缆桥架按装完成后，由监理工程师验收",
    "second_place": "bid.docx paragraph 7 第7段",
    "second_excerpt": "待电缆桥架按装完成后再行敷设",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_phrases: int = 100  # phrases of a bidder of which it is known how others write them
    min_writers: int = 10  # sampled bidders that write a phrase in the usual way
    min_usual_share: float = 0.9  # of those that have the phrase with any letter in the middle
    side: int = 3  # letters of a phrase before the one in the middle, and as many after it
    near: int = 5  # phrases before a slip that are looked at, and as many after it
    min_amid: int = 5  # of these phrases around a slip that are written as usual
    min_others: int = 3  # other bidders of the lot that keep the tender document's letter
    max_writers: int = 5  # bidders that make a slip in any file; of more: a habit
    min_errors: int = 2  # such slips that both make
    min_g2: float = 10.83  # of chi-square with one degree of freedom, the upper 0.1 %
    apart: int = 40  # letters; slips closer than this count as one
    sampled: int = 300  # bidders from whose files it is learnt how phrases are written, one file of each
    sampled_letters: int = 100_000  # letters of each of these files that are read


#: Slips that are written out, and letters shown around the first one. They decide nothing.
LISTED, AROUND = 5, 20


class Lot(NamedTuple):
    """What the bidders of a lot write otherwise than others.

    ``phrases``: of each bidder with text, how many phrases it has of which the usual letter is known.
    ``slips``: what each of them writes otherwise.
    """

    lot_id: str
    phrases: dict[str, int]
    slips: dict[str, list[_Slips]]


NEEDS = (
    *TEXTS,
    Need(
        "fewer than two bidders with enough phrases that others write, too",
        "可比对常用短语达到数量的投标人不足两家",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which two bidders filed texts with enough phrases that others write, too.

    How a phrase is written is known from what most sampled bidders of the county write, or from the tender
    document where other bidders of the lot keep its letter. One row for every two bidders with a rare slip in
    common. One row with value 0 for a lot without any.
    """
    texts = BidTexts.of(engine)
    judged: list[tuple[str, int]] = []
    slips: list[tuple[str, str, _Slips]] = []
    phrases: dict[tuple[str, str], int] = {}
    for lot in _lots(texts, _common(texts, limits), limits):
        enough = {bidder: count for bidder, count in lot.phrases.items() if count >= limits.min_phrases}
        if len(enough) > 1:
            judged.append((lot.lot_id, len(enough)))
            slips += [(lot.lot_id, bidder, made) for bidder in enough for made in lot.slips[bidder]]
            phrases |= {(lot.lot_id, bidder): count for bidder, count in enough.items()}
    pairs, shared = _pairs(_joined(slips), phrases, limits)
    is_found = (pairs["errors"] >= limits.min_errors) & (pairs["value"] >= limits.min_g2)
    who = pairs.loc[is_found, ["unit", "entities"]].itertuples(index=False, name=None)
    shown = [
        _shown(texts, str(unit), str(two), shared[str(unit), str(two)], limits.side) for unit, two in who
    ]
    pairs = pairs.join(pd.DataFrame(shown, columns=_TEXTS, index=pairs.index[is_found], dtype="str"))
    frame = pd.DataFrame(judged, columns=["unit", "bidders"]).astype({"unit": "str", "bidders": "int64"})
    frame = frame.merge(pairs, on="unit", how="left")
    frame[_TEXTS] = frame[_TEXTS].fillna("")
    frame["value"] = frame["value"].fillna(0.0)
    frame[_COUNTS] = frame[_COUNTS].fillna(0).astype("int64")
    frame = frame.assign(
        flagged=(frame["errors"] >= limits.min_errors) & (frame["value"] >= limits.min_g2),
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


_COUNTS = ["errors", "first_errors", "second_errors", "phrases"]
_TEXTS = ["shown", "first_place", "first_excerpt", "second_place", "second_excerpt"]


def _common(texts: BidTexts, limits: Limits) -> Usual:
    """Learn from one file each of some bidders how phrases are usually written."""
    # The order of the files' hashes is as good as chance.
    one_each = texts.bids.sort_values(["file_sha", "bidder_id"]).drop_duplicates("bidder_id")
    codes = texts.all_codes(one_each.head(limits.sampled))
    read = (Phrases.of(code[: limits.sampled_letters], limits.side) for _, code in codes)
    return Usual.learnt(read, limits.min_writers, limits.min_usual_share)


def _lots(texts: BidTexts, common: Usual, limits: Limits) -> Iterator[Lot]:
    templates = [Phrases.of(code, limits.side).whole for code in texts.templates]
    for batch in texts.batches():
        is_bid = batch["kind"] == "bid"
        buyers: dict[str, list[Phrases]] = defaultdict(list)
        for lot_id, _, code in _filed(texts, batch[~is_bid]):
            buyers[lot_id].append(Phrases.of(code, limits.side))
        given = {lot_id: _Given.of(joined(buyers[lot_id]), templates) for lot_id in batch["lot_id"].unique()}
        written: dict[str, dict[str, list[_Written]]] = defaultdict(lambda: defaultdict(list))
        for lot_id, bidder, code in _filed(texts, batch[is_bid]):
            written[lot_id][bidder].append(_Written.of(code, common, given[lot_id], limits))
        for lot_id in sorted(written):
            yield _lot(lot_id, written[lot_id], given[lot_id], limits)


def _filed(texts: BidTexts, batch: pd.DataFrame) -> Iterator[tuple[str, str, Codes]]:
    """Give the letters of every file of a batch to each of its owners: lot, bidder and letters."""
    if batch.empty:
        return
    owners: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for lot_id, bidder, sha in zip(batch["lot_id"], batch["bidder_id"], batch["file_sha"], strict=True):
        owners[sha].append((lot_id, bidder))
    for sha, code in texts.codes(batch):
        for lot_id, bidder in owners[sha]:
            yield lot_id, bidder, code


class _Given(NamedTuple):
    """What a lot's bidders were given: how its documents write, and all phrases in them and in templates."""

    usual: Usual
    wholes: Hashes

    @staticmethod
    def of(buyers: Phrases, templates: list[Hashes]) -> _Given:
        return _Given(Usual.written(buyers), ascending(np.concatenate([buyers.whole, *templates])))


class _Slips(NamedTuple):
    """Phrases that one file writes otherwise: their hashes, the usual letters, their places in the text."""

    whole: Hashes
    usual: Codes
    at: Ints

    def of(self, chosen: Bools) -> _Slips:
        return _Slips(self.whole[chosen], self.usual[chosen], self.at[chosen])


class _Written(NamedTuple):
    """What one file writes otherwise than most (``slips``) and than the tender document (``given_slips``).

    ``given_at`` are the places of the latter in what the bidders were given, ``kept_at`` those where the file
    keeps its letter, ``phrases`` the phrases of which the usual letter is known.
    """

    slips: _Slips
    given_slips: _Slips
    given_at: Ints
    kept_at: Ints
    phrases: int

    @staticmethod
    def of(code: Codes, common: Usual, given: _Given, limits: Limits) -> _Written:
        phrases = Phrases.of(code, limits.side)
        made, made_here = (
            usual.departures(phrases, limits.side, limits.near) for usual in (common, given.usual)
        )
        kept = np.zeros(len(given.usual.context), dtype=bool)
        kept[made_here.known] = True
        kept[made_here.usual] = False
        is_own, is_own_here = (
            (found.amid >= limits.min_amid) & ~is_in(phrases.whole[found.here], given.wholes)
            for found in (made, made_here)
        )
        return _Written(
            _Slips(phrases.whole[made.here], common.middle[made.usual], made.here).of(is_own),
            _Slips(phrases.whole[made_here.here], given.usual.middle[made_here.usual], made_here.here).of(
                is_own_here
            ),
            made_here.usual[is_own_here],
            np.flatnonzero(kept),
            max(len(made.known), len(made_here.known)),
        )


def _lot(lot_id: str, written: dict[str, list[_Written]], given: _Given, limits: Limits) -> Lot:
    """Put the files of a lot's bidders together. A letter of the tender document counts where others keep it."""
    kept = np.zeros(len(given.usual.context), dtype=np.int64)
    for files in written.values():
        keeps = np.zeros(len(kept), dtype=bool)
        for file in files:
            keeps[file.kept_at] = True
        kept += keeps
    slips: dict[str, list[_Slips]] = {}
    for bidder, files in written.items():
        counted = [file.given_slips.of(kept[file.given_at] >= limits.min_others) for file in files]
        slips[bidder] = [*(file.slips for file in files), *counted]
    return Lot(
        lot_id, {bidder: sum(file.phrases for file in files) for bidder, files in written.items()}, slips
    )


def _joined(slips: list[tuple[str, str, _Slips]]) -> pd.DataFrame:
    """Return one row per lot, bidder and phrase: ``lot_id``, ``bidder_id``, ``whole``, ``usual``, ``at``."""
    none = _Slips(np.empty(0, np.uint64), np.empty(0, np.uint32), np.empty(0, np.int64))
    size = [len(made.at) for _, _, made in slips]
    columns = zip(none, *(made for _, _, made in slips), strict=True)
    frame = pd.DataFrame(
        {name: np.concatenate(parts) for name, parts in zip(_Slips._fields, columns, strict=True)}
    )
    for place, name in enumerate(("lot_id", "bidder_id")):
        frame[name] = pd.Series(
            np.repeat(np.array([row[place] for row in slips], dtype=object), size), dtype="str"
        )
    return frame.drop_duplicates(["lot_id", "bidder_id", "whole"])


def _pairs(
    slips: pd.DataFrame, phrases: dict[tuple[str, str], int], limits: Limits
) -> tuple[pd.DataFrame, dict[tuple[str, str], pd.DataFrame]]:
    """Return one row per lot and two bidders with a slip that hardly anybody else makes, and their slips.

    Columns: ``unit``, ``entities``, `_COUNTS` and ``value``. The slips come in the order of the first bidder's
    text, by lot and bidders.
    """
    writers = slips.drop_duplicates(["bidder_id", "whole"]).groupby("whole").size()
    rare = slips[slips["whole"].map(writers) <= limits.max_writers]
    rare = rare.sort_values(["lot_id", "bidder_id", "at", "whole"])
    made = rare.groupby(["lot_id", "bidder_id"]).size()
    both = rare.merge(rare[["lot_id", "whole", "bidder_id"]], on=["lot_id", "whole"], suffixes=("", "_other"))
    both = both[both["bidder_id"] < both["bidder_id_other"]]
    shared: dict[tuple[str, str], pd.DataFrame] = {}
    rows = []
    for (lot, one, other), of_pair in both.groupby(["lot_id", "bidder_id", "bidder_id_other"]):
        two = [(str(lot), str(bidder)) for bidder in (one, other)]
        entities = SEPARATOR.join(bidder for _, bidder in two)
        shared[str(lot), entities] = of_pair
        first, second = (int(made.loc[bidder]) for bidder in two)
        errors, known = _places(of_pair["at"], limits.apart), min(phrases[bidder] for bidder in two)
        rows.append(
            (str(lot), entities, errors, first, second, known, g_square(errors, first, second, known))
        )
    frame = pd.DataFrame(rows, columns=["unit", "entities", *_COUNTS, "value"])
    return frame.astype({"unit": "str", "entities": "str", "value": "float64"}), shared


def _places(at: pd.Series, apart: int) -> int:
    """Return the number of places of some slips. Slips closer than ``apart`` letters are one place."""
    return 1 + int((at.diff() >= apart).sum())


def g_square(both: int, first: int, second: int, places: int) -> float:
    """Return Dunning's log-likelihood ratio of two bidders' slips; 0 where both are no more than chance gives.

    Args:
        both: places where both make the same slip.
        first, second: places where either makes one, at least ``both``.
        places: where a slip would have been seen, in either text.
    """
    neither = max(places - first - second + both, 0)
    seen = np.array([[both, first - both], [second - both, neither]], dtype=np.float64)
    expected = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0, keepdims=True) / seen.sum()
    if both <= expected[0, 0]:
        return 0.0
    parts = seen[seen > 0] * np.log(seen[seen > 0] / expected[seen > 0])
    return float(2 * parts.sum())


def _shown(texts: BidTexts, lot_id: str, entities: str, slips: pd.DataFrame, side: int) -> tuple[str, ...]:
    """Return the slips of two bidders as text, and where the first of them stands in either's files."""
    wholes = slips["whole"].tolist()
    read = texts.whole(lot_id, entities.split(SEPARATOR))
    here, there = (_where(text, wholes, side) for text in read)
    first, second = read
    written = [
        f"{plain(first.code[here[whole] - side : here[whole] + side + 1])} ({chr(usual)})"
        for whole, usual in zip(wholes[:LISTED], slips["usual"].tolist(), strict=False)
    ]
    more = ["…"] if len(wholes) > LISTED else []
    shown = [
        (text.place(at[wholes[0]]), _around(text, at[wholes[0]]))
        for text, at in ((first, here), (second, there))
    ]
    return "; ".join(written + more), *shown[0], *shown[1]


def _where(text: WholeText, wholes: list[int], side: int) -> dict[int, int]:
    """Return where the letter in the middle of each phrase stands first in a text."""
    made = Phrases.of(text.code, side).whole
    at = np.flatnonzero(is_in(made, ascending(np.array(wholes, dtype=np.uint64))))[::-1]
    return dict(zip(made[at].tolist(), (at + side).tolist(), strict=True))


def _around(text: WholeText, at: int) -> str:
    start, end = text.part(at)
    start, end = max(start, at - AROUND), min(end, at + AROUND)
    return text.excerpt(start, end - start)
