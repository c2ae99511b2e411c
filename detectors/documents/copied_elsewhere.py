"""Two firms file the same text in different lots.

Why it matters
    Firms that write their own bids do not write what another firm filed elsewhere. A text that moves from firm to
    firm shows who writes for whom, even where the two never meet in one lot.

Looks innocent when
    - both bought the text, or copied it from a manual. Text of more than a few firms is left out;
    - the buyer wrote the text. The tender documents of both lots and all templates are taken off;
    - the firms belong to one group, or have been a joint venture. Such pairs are shown and not flagged, because
      they may bid in different lots;
    - one firm took over the other's staff, or both pay the same consultant, lot by lot.

Blind spots
    Texts of more than ``max_holders`` firms, and therefore large rings. Short passages, because only a sample of the
    windows is looked at. Paraphrase, and scanned pages. Owners that no delivery shows.

Sources
    No article names texts in different lots, so this is a clue to who belongs together and no more. Windows are
    sampled by their hash (FracMinHash). What is measured is this project's own choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.texts.bid_texts import FILES, BidTexts
from detectors.kernels.texts.texts import (
    Hashes,
    ascending,
    is_in,
    keys,
    mixed,
    prepared,
    windows,
)
from detectors.kernels.texts.whole_texts import own_runs

DETECTOR = Detector(
    title="Two firms file the same text in different lots",
    title_zh="不同企业在不同标段的投标文件文本雷同",
    unit="pair",
    measures="letters in common in different lots, estimated from sampled windows, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="About {value:.0f} letters (limit {min_letters}) stand in files of both firms in different lots and in"
    " files of at most {max_holders} firms. In the two most alike files {common} letters are the same word for word,"
    " {share:.1%} of the shorter own text (limit {min_share:.0%}), the longest run {longest}. Link known: {link}."
    " {first_lot} {first_place}: {first_excerpt} / {second_lot} {second_place}: {second_excerpt}",
    says_zh="两家企业在不同标段的投标文件约有 {value:.0f} 字相同（阈值 {min_letters} 字），且至多 {max_holders} 家企业有此文本。"
    "其中最相似的两份文件有 {common} 字逐字相同，占较短一方自有文本的 {share:.1%}（阈值 {min_share:.0%}），最长一段 "
    "{longest} 字。已知关联：{link}。属异常指标。{first_lot} {first_place}：{first_excerpt}；"
    "{second_lot} {second_place}：{second_excerpt}",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 8192,
    "common": 7420,
    "share": 0.61,
    "longest": 412,
    "link": "无 none",
    "first_lot": "E4108210000000001001001",
    "first_place": "technical.docx paragraph 31 第31段",
    "first_excerpt": "基坑开挖前先行降水，降水井沿坑边每隔十八米布置一口，…",
    "second_lot": "E4108210000000002001001",
    "second_place": "bid.docx paragraph 7 第7段",
    "second_excerpt": "基坑开挖前先行降水，降水井沿坑边每隔十八米布置一口，…",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_holders: int = 4  # firms that have a window; of more: bought, or from a manual
    min_letters: int = 2048  # letters in common, estimated
    min_run: int = 40  # letters of a run that counts in the two most alike files
    min_share: float = 0.3  # of the own text of the shorter of these two
    given_run: int = 12  # letters; a run of so many that the buyer wrote is taken off
    sampled: int = 256  # one window in so many is looked at
    sample_room: float = 0.5  # of min_share; files that share less in the sample are not compared


#: What is shown where no link is known.
NO_LINK = "无 none"

LINKS = """
WITH owned AS (
    SELECT DISTINCT party_id, holder_id FROM core.relations
),
linked AS (
    SELECT bidder_id AS one_id, party_id AS other_id, '曾组成联合体 joint venture' AS link
    FROM core.bid_members
    WHERE is_joint_venture_member
    UNION ALL
    SELECT party_id, holder_id, '控股或管理 holding or control' FROM owned
    UNION ALL
    SELECT x.party_id, y.party_id, '同一股东 same owner'
    FROM owned AS x
    JOIN owned AS y ON y.holder_id = x.holder_id AND x.party_id < y.party_id
)
SELECT least(one_id, other_id) AS one_id, greatest(one_id, other_id) AS other_id, min(link) AS link
FROM linked
GROUP BY least(one_id, other_id), greatest(one_id, other_id)
ORDER BY one_id, other_id
"""


NEEDS = (
    Need(
        "no bid files with text",
        "未收到含文字的投标文件",
        f"SELECT bidder_id AS unit FROM ({FILES}) AS filed WHERE kind = 'bid'",
    ),
    Need(
        "no sampled text in common with a firm in another lot, or only what many firms have",
        "抽样文本与其他标段的企业均不相同，或为多家企业所共有",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every two firms that have a sampled window in common, in different lots, that few others have.

    Where the estimates come near their limits, the two most alike files are compared letter by letter.
    """
    texts = BidTexts.of(engine)
    frame = _alike(*_sampled(texts, limits.min_run, limits.sampled), limits.max_holders, limits.sampled)
    links = engine.run(LINKS).to_pandas().set_index(["one_id", "other_id"])["link"]
    who = pd.MultiIndex.from_frame(frame[["one", "other"]])
    lots = frame[["first_lot", "second_lot"]]
    two = (frame["one"] + SEPARATOR + frame["other"]).astype("str")
    frame = frame.assign(
        unit=two,
        entities=two,
        lot_ids=(lots.min(axis=1) + SEPARATOR + lots.max(axis=1)).astype("str"),
        link=pd.Series(links.reindex(who).to_numpy(), dtype="str").fillna(NO_LINK),
    )
    # Half the share leaves room for the chance of the sample: three standard deviations in 21,000 letters.
    least = limits.min_share * limits.sample_room
    is_worth = (frame["value"] >= limits.min_letters) & (frame["sampled_share"] >= least)
    worth = frame[is_worth]
    compared = pd.DataFrame(_compared(texts, worth, limits), columns=list(_FACTS), index=worth.index)
    facts = compared.reindex(frame.index)
    for name, kind in _FACTS.items():
        frame[name] = facts[name].fillna("") if kind == "str" else facts[name].fillna(0)
    frame = frame.astype(_FACTS)
    is_free = frame["link"] == NO_LINK
    frame["flagged"] = is_free & (frame["value"] >= limits.min_letters) & (frame["share"] >= limits.min_share)
    return frame.drop(columns=["one", "other"])


#: What is measured of the two most alike files, and its type.
_FACTS = {
    "common": "int64",
    "share": "float64",
    "longest": "int64",
    "first_place": "str",
    "first_excerpt": "str",
    "second_place": "str",
    "second_excerpt": "str",
}


def _sampled(texts: BidTexts, length: int, one_in: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return the sampled windows of all bids that are no known text, and how many each bid has.

    One row per window, firm and lot, for the first and the last lot in which the firm has it: ``key``,
    ``bidder_id``, ``lot_id``; in this order. The numbers are by firm and lot.
    """
    nothing = np.empty(0, dtype=np.uint64)
    sketch = {}
    for sha, code in texts.all_codes(texts.files):
        hashes = windows(code, length)
        sketch[sha] = ascending(keys(hashes[hashes % np.uint64(one_in) == 0]))
    files = texts.files.drop(columns="characters")
    lot, lots = pd.factorize(files["lot_id"], sort=True)
    bidder, bidders = pd.factorize(files["bidder_id"], sort=True)
    size = np.array([len(sketch[sha]) for sha in files["file_sha"]], dtype=np.int64)
    key = np.concatenate([nothing, *(sketch[sha] for sha in files["file_sha"])])
    lot, bidder = np.repeat(lot, size), np.repeat(bidder, size)
    is_bid = np.repeat((files["kind"] == "bid").to_numpy(), size)
    # A window and a lot in one number, to look up what the lot's bidders were given. Lot -1 is every lot.
    in_lot = mixed(key ^ mixed(lot.astype(np.uint64)))
    given, everywhere = ascending(in_lot[~is_bid]), ascending(key[~is_bid & (lot < 0)])
    kept = is_bid & ~is_in(in_lot, given) & ~is_in(key, everywhere)
    key, lot, bidder = key[kept], lot[kept], bidder[kept]
    order = np.lexsort((lot, bidder, key))
    key, lot, bidder = key[order], lot[order], bidder[order]
    is_first = np.append(True, (key[1:] != key[:-1]) | (bidder[1:] != bidder[:-1]))[: len(key)]
    is_last = np.append(is_first[1:], True)[: len(key)]
    rows = pd.DataFrame({"key": key, "bidder_id": bidders[bidder], "lot_id": lots[lot]})
    own = rows.groupby(["bidder_id", "lot_id"])["key"].nunique()
    return rows[is_first | is_last].drop_duplicates(), own


def _alike(sampled: pd.DataFrame, own: pd.Series, max_holders: int, one_in: int) -> pd.DataFrame:
    """Return the pairs of firms that share windows in different lots, with their two most alike bids.

    Columns: ``one``, ``other`` (in order), ``value``, ``first_lot``, ``second_lot``, ``sampled_share`` (windows of
    these two bids that they share, of the one with fewer).
    """
    firms = sampled.drop_duplicates(["key", "bidder_id"]).groupby("key").size()
    few = sampled[sampled["key"].map(firms).between(2, max_holders)]
    met = few.merge(few, on="key", suffixes=("", "_other"))
    met = met[(met["bidder_id"] < met["bidder_id_other"]) & (met["lot_id"] != met["lot_id_other"])]
    met = met.set_axis(["key", "one", "first_lot", "other", "second_lot"], axis=1)
    found = met.groupby(["one", "other"], sort=True)["key"].nunique().rename("windows").reset_index()
    lots = (
        met.groupby(["one", "other", "first_lot", "second_lot"], sort=True)
        .size()
        .rename("times")
        .reset_index()
    )
    lots = lots.sort_values(["one", "other", "times"], ascending=[True, True, False], kind="stable")
    found = found.merge(lots.drop_duplicates(["one", "other"]), on=["one", "other"])
    sizes = [
        own.reindex(pd.MultiIndex.from_frame(found[side])).to_numpy(dtype=np.float64)
        for side in (["one", "first_lot"], ["other", "second_lot"])
    ]
    value, share = found["windows"] * float(one_in), found["times"] / np.minimum(*sizes)
    return found.assign(value=value, sampled_share=share).drop(columns=["windows", "times"])


def _compared(texts: BidTexts, pairs: pd.DataFrame, limits: Limits) -> Iterator[tuple[object, ...]]:
    """Give `_FACTS` of the two most alike files of every pair."""
    sides = ["one", "first_lot", "other", "second_lot"]
    rows = [tuple(map(str, row)) for row in pairs[sides].itertuples(index=False, name=None)]
    common = [_common(texts, row, limits) for row in rows]
    wanted = ascending(np.concatenate([np.empty(0, dtype=np.uint64), *(own for own, _ in common)]))
    few = wanted[texts.holders(limits.min_run, wanted) <= limits.max_holders]
    for (one, first_lot, other, second_lot), (own, least) in zip(rows, common, strict=True):
        (first,), (second,) = texts.whole(first_lot, [one]), texts.whole(second_lot, [other])
        own, given = own[is_in(own, few)], texts.given([first_lot, second_lot], limits.given_run)
        ready = [prepared(text.code, limits.min_run, own, given) for text in (first, second)]
        runs = own_runs(ready[0], ready[1], limits.min_run)
        if len(runs.own) == 0:
            yield 0, 0.0, 0, "", "", "", ""
            continue
        longest = int(runs.own.argmax())
        here, there, length = (int(part[longest]) for part in runs[:3])
        share = min(runs.common / max(least, 1), 1.0)
        places = (
            first.place(here),
            first.excerpt(here, length),
            second.place(there),
            second.excerpt(there, length),
        )
        yield runs.common, share, int(runs.own[longest]), *places


def _common(texts: BidTexts, row: tuple[str, ...], limits: Limits) -> tuple[Hashes, int]:
    """Return the keys of the windows that two bids share, and the letters of the shorter that no buyer wrote."""
    one, first_lot, other, second_lot = row
    (first,), (second,) = texts.whole(first_lot, [one]), texts.whole(second_lot, [other])
    given = texts.given([first_lot, second_lot], limits.given_run)
    own = [~given.holds(text.code) for text in (first, second)]
    here, there = (ascending(keys(windows(text.code, limits.min_run))) for text in (first, second))
    shared = here[is_in(here, there)]
    return shared, int(min(part.sum() for part in own))
