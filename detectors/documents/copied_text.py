"""Bid files of two bidders of one lot have passages in common, word for word.

Why it matters
    Bidders who write for themselves do not write the same. A passage that stands in two bids, and in no document
    that both were given, comes from one hand, or from one bid that was handed on.

Looks innocent when
    - the buyer wrote the passage. The text of the tender document and of templates is taken off before, letter
      by letter. Where no tender document was delivered, text of more than two bidders counts as the buyer's;
    - both quote a norm, a manual or a text bought from the same seller. Text that bidders of other lots have,
      too, is taken off;
    - the buyer's annexes (drawings, surveys, answers to questions) were not delivered with the tender document.
      Then a few passages may be the buyer's. Ask for the annexes before anybody is heard;
    - the bidders once wrote a bid together as a joint venture, or one firm took over the other's staff.
    A person must read both passages before anything is said.

Blind spots
    Paraphrase and translation. Scanned pages without text, and pictures of text. Bids of which only one file was
    delivered. A text that more than half of the lot's bidders share looks like the buyer's. So does a text of
    more than two bidders where no tender document was delivered. A text that a ring also uses elsewhere, through
    other firms, looks like a standard. Traditional characters are evened out only where they are frequent.

Sources
    招标投标法实施条例 §40(4) 不同投标人的投标文件异常一致. The shortest run that counts, and how text is taken off
    and counted, are this project's own choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.texts.bid_texts import FILES, BidTexts, LotWindows
from detectors.kernels.texts.bid_texts import NEEDS as TEXTS
from detectors.kernels.texts.texts import Ints, ascending, prepared
from detectors.kernels.texts.whole_texts import own_runs, passages

DETECTOR = Detector(
    title="Bid files of two bidders have passages in common word for word",
    title_zh="不同投标人的投标文件存在逐字相同的段落",
    unit="lot",
    measures="letters in common in runs that count, known text taken off, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="{value:.0f} letters stand word for word in both bidders' files and in no known text: {passages}"
    " passages of at least {min_run} letters, the longest {longest}, {share:.1%} of the shorter own text (limits"
    " {min_passages} passages or {min_share:.0%}; where no tender document was read {min_share_alone:.0%})."
    " First: {first_place}: {first_excerpt} / Second: {second_place}: {second_excerpt}",
    says_zh="剔除招标文件、范本和常见文本后，两家投标人的文件有 {value:.0f} 个字逐字相同：至少 {min_run} 字的段落 "
    "{passages} 处，最长 {longest} 字，占较短一方自有文本的 {share:.1%}（阈值：{min_passages} 处或 {min_share:.0%}；"
    "未取得招标文件时 {min_share_alone:.0%}），属异常指标。甲：{first_place}：{first_excerpt}；"
    "乙：{second_place}：{second_excerpt}",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2841,
    "passages": 17,
    "longest": 412,
    "share": 0.23,
    "first_place": "technical.docx paragraph 31 第31段",
    "first_excerpt": "基坑开挖前先行降水，降水井沿坑边每隔十八米布置一口，…",
    "second_place": "bid.docx paragraph 7 第7段",
    "second_excerpt": "基坑开挖前先行降水，降水井沿坑边每隔十八米布置一口，…",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_own: int = 1000  # letters of a bidder's files that are no known text; fewer cannot be judged
    min_run: int = 40  # letters of a run that counts, known text not counted
    given_run: int = 12  # letters; a run of so many that the buyer wrote is taken off
    gap: int = 40  # letters; runs closer than this in both files are one passage
    min_passages: int = 3  # passages in common
    min_share: float = 0.1  # of the own text of the bidder that has less
    min_share_alone: float = 0.5  # of it, where no tender document was read; then passages do not count
    few_holders: int = 2  # bidders of the lot that may share a text, where no tender document was read
    max_holder_share: float = 0.5  # of the lot's bidders that may share one, where it was read
    max_holders: int = 20  # bidders of the lot that may share one, in any case
    max_elsewhere: int = 5  # bidders that have a text in other files; of more: a standard


NEEDS = (
    *TEXTS,
    Need(
        "no tender document with text, and too few bidders to tell what the buyer wrote",
        "无招标文件文本，且投标人家数不足以推定招标人文本",
        f"SELECT lot_id AS unit FROM ({FILES}) AS filed GROUP BY lot_id"
        " HAVING count(DISTINCT CASE WHEN kind = 'bid' THEN bidder_id END) > $few_holders"
        " OR max(CASE WHEN kind = 'tender' THEN 1 ELSE 0 END) = 1",
    ),
    Need("fewer than two bidders with enough text of their own", "自有文本达到字数的投标人不足两家"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders filed enough text of their own.

    Without a tender document three bidders with text are needed, because nothing else shows what the buyer
    wrote. One row for every pair with a run that counts. One row with value 0 for a lot without any. Pairs that
    share too few windows to reach a limit are not compared letter by letter.
    """
    texts = BidTexts.of(engine)
    judged: list[dict[str, object]] = []
    candidates = []
    for lot in texts.shared(limits.min_run, _allowed(limits), _fewest(limits)):
        has_enough = lot.found.own >= limits.min_own
        if has_enough.sum() < 2 or not (lot.has_tender or len(lot.bidders) > limits.few_holders):
            continue
        judged.append({"unit": lot.lot_id, "bidders": int(has_enough.sum()), "has_tender": lot.has_tender})
        if len(_worth_comparing(lot, limits)):
            candidates.append(lot)
    rows = [row for lot in _rare(texts, candidates, limits) for row in _compared(texts, lot, limits)]
    frame = pd.DataFrame(judged, columns=["unit", "bidders", "has_tender"]).merge(
        pd.DataFrame(rows, columns=["unit", *_FACTS]).astype(_FACTS), on="unit", how="left"
    )
    is_found = frame["entities"].notna()
    text = [name for name, kind in _FACTS.items() if kind == "str" and name != "entities"]
    frame = frame.fillna({"value": 0.0, "passages": 0, "longest": 0, "share": 0.0} | dict.fromkeys(text, ""))
    frame = frame.astype(_FACTS | {"unit": "str", "bidders": "int64", "has_tender": "bool"})
    is_copy = (frame["passages"] >= limits.min_passages) | (frame["share"] >= limits.min_share)
    is_copy = is_copy.where(frame["has_tender"], frame["share"] >= limits.min_share_alone)
    frame = frame.assign(
        flagged=is_found & is_copy,
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


#: What is measured of a pair, and its type.
_FACTS = {
    "entities": "str",
    "value": "float64",
    "passages": "int64",
    "longest": "int64",
    "share": "float64",
    "first_place": "str",
    "first_excerpt": "str",
    "second_place": "str",
    "second_excerpt": "str",
}


def _allowed(limits: Limits) -> Callable[[int, bool], int]:
    """Return how many of a lot's bidders may share a text that is not taken for the buyer's."""

    def allowed(bidders: int, has_tender: bool) -> int:
        most = ceil(limits.max_holder_share * bidders) if has_tender else 0
        return min(max(most, limits.few_holders), limits.max_holders)

    return allowed


def _fewest(limits: Limits) -> int:
    """Return how many windows two bidders share at least if they reach a limit. A run holds one or more."""
    return ceil(min(limits.min_passages, limits.min_share * limits.min_own / limits.min_run))


def _worth_comparing(lot: LotWindows, limits: Limits) -> Ints:
    """Return the pairs of bidders that share enough windows to reach a limit."""
    pairs, counts = lot.found.pairs()
    return pairs[(counts >= _fewest(limits)) & (lot.found.own[pairs] >= limits.min_own).all(axis=1)]


def _rare(texts: BidTexts, lots: list[LotWindows], limits: Limits) -> Iterator[LotWindows]:
    """Give the lots with those of their shared windows that few bidders have in other files."""
    nothing = np.empty(0, dtype=np.uint64)
    wanted = ascending(np.concatenate([nothing, *(lot.found.key for lot in lots)]))
    holders = texts.holders(limits.min_run, wanted)
    for lot in lots:
        elsewhere = holders[np.searchsorted(wanted, lot.found.key)] - lot.found.holders()
        yield lot._replace(found=lot.found.of(elsewhere <= limits.max_elsewhere))


def _compared(texts: BidTexts, lot: LotWindows, limits: Limits) -> list[dict[str, object]]:
    """Compare the pairs of a lot that share enough windows, letter by letter."""
    pairs = _worth_comparing(lot, limits)
    if len(pairs) == 0:
        return []
    rare = ascending(lot.found.key)
    places = np.unique(pairs).tolist()
    read = dict(zip(places, texts.whole(lot.lot_id, [lot.bidders[at] for at in places]), strict=True))
    given = texts.given([lot.lot_id], limits.given_run)
    ready = {at: prepared(text.code, limits.min_run, rare, given) for at, text in read.items()}
    rows: list[dict[str, object]] = []
    for one, other in pairs.tolist():
        first, second = read[one], read[other]
        runs = own_runs(ready[one], ready[other], limits.min_run)
        if len(runs.own) == 0:
            continue
        longest = int(runs.own.argmax())
        here, there, length = (int(part[longest]) for part in runs[:3])
        least = int(min(lot.found.own[one], lot.found.own[other]))
        rows.append(
            {
                "unit": lot.lot_id,
                "entities": lot.bidders[one] + SEPARATOR + lot.bidders[other],
                "value": runs.common,
                "passages": passages(runs, limits.gap),
                "longest": int(runs.own[longest]),
                "share": min(runs.common / least, 1.0),
                "first_place": first.place(here),
                "first_excerpt": first.excerpt(here, length),
                "second_place": second.place(there),
                "second_excerpt": second.excerpt(there, length),
            }
        )
    return rows
