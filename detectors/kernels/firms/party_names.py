"""Which organisations may be one and the same: proposals for a person to decide, never a merger.

The same firm is delivered under several names and codes: full-width or traditional characters, a branch,
有限公司 for 有限责任公司, a former name, the old nine-character organisation code. Names alone say little, because
brands are short and many differ in one character. In a register of 100,000 names, three in a hundred of the
pairs within one character were true. So two names that are not written alike need a second fact that few others
have: the same phone, head, address or account. What people decided comes before all this.

Not every name is compared with every other. Only names within one character of each other are (deletion
neighbourhood), and organisations that share a fact.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from detectors.interface import Engine
from detectors.kernels.firms.name_parts import taken_apart

#: Characters of a name that its key holds. Bounds memory only; the whole names are scored.
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Limits:
    """What proposals are compared with."""

    min_score: float = 80.0  # 0 to 100; pairs below are not proposed
    missing_place: float = 5.0  # points off where a place stands in one of the names only
    other_form: float = 2.0  # points off where the forms of the legal person differ
    other_branch: float = 2.0  # points off where the branches differ
    max_bucket: int = 30  # names that are equal but for one character; larger buckets are cut and counted
    max_holders: int = 5  # organisations that share a fact; a fact of more supports nothing


class Proposals(NamedTuple):
    """What `proposals` found.

    Attributes:
        pairs: one row per pair: ``left_id``, ``right_id`` (party ids, left before right), ``left_name``,
            ``right_name``, ``score`` (0 to 100), ``facts`` (kinds shared, as text), ``how`` (``written alike``,
            ``branch``, ``similar`` or ``organisation code``).
        cut_names: names that stood in a bucket larger than ``max_bucket`` and were compared in others only.
    """

    pairs: pd.DataFrame
    cut_names: int


PAIR_COLUMNS = ["left_id", "right_id", "left_name", "right_name", "score", "facts", "how"]

NAMES = "SELECT party_id, name FROM core.party_names ORDER BY party_id, name"

FACTS = """
SELECT party_id, 'head' AS kind, legal_representative_id AS fact
FROM core.parties WHERE legal_representative_id IS NOT NULL
UNION
SELECT party_id, 'phone', phone FROM core.parties WHERE phone IS NOT NULL
UNION
SELECT party_id, 'address', upper(replace(replace(address, ' ', ''), '　', ''))
FROM core.parties WHERE address IS NOT NULL
UNION
SELECT bidder_id, 'phone', phone FROM core.people WHERE phone IS NOT NULL AND role <> 'team_member'
UNION
SELECT bidder_id, 'staff', person_id FROM core.people WHERE person_id IS NOT NULL
UNION
SELECT bidder_id, 'account', account FROM core.deposits WHERE account IS NOT NULL AND NOT is_guarantee
UNION
SELECT bidder_id, 'account', account FROM core.document_purchases WHERE account IS NOT NULL
ORDER BY party_id, kind, fact
"""


def resolve(
    engine: Engine, places: Collection[str], judgements: pd.DataFrame, limits: Limits
) -> tuple[pd.DataFrame, int]:
    """Return what a person may decide about the parties of a snapshot, and the number of names cut.

    Args:
        engine: over the snapshot.
        places: names of regions, long forms.
        judgements: see `judged`.
        limits: see `Limits`.
    """
    names = engine.run(NAMES).to_pandas()
    found = proposals(names, engine.run(FACTS).to_pandas(), places, limits)
    by_code = code_proposals(names)
    pairs = pd.concat([by_code, found.pairs], ignore_index=True).drop_duplicates(["left_id", "right_id"])
    return judged(pairs, judgements), found.cut_names


def proposals(names: pd.DataFrame, facts: pd.DataFrame, places: Collection[str], limits: Limits) -> Proposals:
    """Propose pairs of organisations that may be one.

    A pair is proposed if the names are written alike: same brand, trade, place, numerals and form. One may be a
    branch of the other, because a branch carries its head office's whole name. A pair is also proposed if the
    names score at least ``min_score`` and share a fact that no more than ``max_holders`` have. Names that
    contradict each other in place or numerals are never proposed.

    Args:
        names: ``party_id`` and ``name``, one row per name ever delivered.
        facts: ``party_id``, ``kind`` and ``fact`` (tokens or text, never null).
        places: names of regions, see `taken_apart`.
        limits: see `Limits`.
    """
    names = names.drop_duplicates().reset_index(drop=True)
    names = names.join(taken_apart(names["name"], places))
    whole = names["place"] + "|" + names["core"] + "|" + names["form"]
    equal, _ = _inside_buckets(whole, names.index.to_series(), limits.max_bucket)
    by_name, cut = _neighbours(names["core"], limits.max_bucket)
    shared = _shared_facts(facts, limits.max_holders)
    by_fact = _positions(shared, names)
    pairs = np.unique(np.concatenate([equal, by_name, by_fact]), axis=0)
    left, right = (names.iloc[pairs[:, side]].reset_index(drop=True) for side in (0, 1))
    other = left["party_id"] != right["party_id"]
    left, right = left[other], right[other]
    frame = pd.DataFrame({"left_id": left["party_id"], "right_id": right["party_id"]})
    swapped = frame["left_id"] > frame["right_id"]
    frame["left_id"], frame["right_id"] = (
        left["party_id"].mask(swapped, right["party_id"]),
        right["party_id"].mask(swapped, left["party_id"]),
    )
    frame["left_name"], frame["right_name"] = (
        left["name"].mask(swapped, right["name"]),
        right["name"].mask(swapped, left["name"]),
    )
    frame["score"], alike = _scores(left, right, limits)
    frame = frame.merge(shared, on=["left_id", "right_id"], how="left").set_axis(frame.index)
    frame["facts"] = frame["facts"].fillna("").astype("str")
    is_branch = alike & (left["branch"] != right["branch"])
    frame["how"] = np.select([is_branch, alike], ["branch", "written alike"], "similar")
    chosen = alike | ((frame["score"] >= limits.min_score) & (frame["facts"] != ""))
    frame = frame.loc[chosen, PAIR_COLUMNS].sort_values(
        ["left_id", "right_id", "score", "left_name", "right_name"], ascending=[True, True, False, True, True]
    )
    return Proposals(frame.drop_duplicates(["left_id", "right_id"]).reset_index(drop=True), cut)


def code_proposals(names: pd.DataFrame) -> pd.DataFrame:
    """Propose pairs of a credit code and the nine-character organisation code that it holds.

    Characters 9 to 17 of a unified social credit code (GB 32100) are the organisation code (GB 11714).
    No credit code holds a registration number of fifteen digits, so its holder is found by name only.

    Args:
        names: ``party_id`` and ``name``, one row per name ever delivered.

    Returns:
        The columns of ``Proposals.pairs``, score 100.
    """
    firsts = names.sort_values(["party_id", "name"]).drop_duplicates("party_id")
    code = firsts["party_id"].str.replace("-", "", regex=False)
    long = firsts[code.str.len() == 18].assign(code=code.str[8:17])
    short = firsts[code.str.len() == 9].assign(code=code)
    found = long.merge(short, on="code", suffixes=("", "_short"))
    swapped = found["party_id"] > found["party_id_short"]
    return pd.DataFrame(
        {
            "left_id": found["party_id"].mask(swapped, found["party_id_short"]),
            "right_id": found["party_id_short"].mask(swapped, found["party_id"]),
            "left_name": found["name"].mask(swapped, found["name_short"]),
            "right_name": found["name_short"].mask(swapped, found["name"]),
            "score": 100.0,
            "facts": "",
            "how": "organisation code",
        },
        columns=PAIR_COLUMNS,
    )


def judged(pairs: pd.DataFrame, judgements: pd.DataFrame) -> pd.DataFrame:
    """Put people's judgements before the machine's proposals.

    Args:
        pairs: with the columns of ``Proposals.pairs``.
        judgements: ``left_id``, ``right_id`` (in any order) and ``verdict``: ``same``, ``different`` or
            ``undone``, oldest first. The last verdict on a pair counts. After ``undone`` it is as if nobody
            had judged.

    Returns:
        The pairs that are still to be decided or were judged the same, with the column ``verdict``
        (``same`` or empty). Pairs judged different are gone. Pairs judged the same are there even
        where nothing speaks for them.

    Raises:
        ValueError: a verdict is none of the three.
    """
    unknown = set(judgements["verdict"]) - {"same", "different", "undone"}
    if unknown:
        raise ValueError(f"judgements: the verdict {min(unknown)!r} is none of same, different, undone")
    low = judgements[["left_id", "right_id"]].min(axis=1).astype("str")
    high = judgements[["left_id", "right_id"]].max(axis=1).astype("str")
    last = judgements.assign(left_id=low, right_id=high).drop_duplicates(["left_id", "right_id"], keep="last")
    last = last.loc[last["verdict"] != "undone", ["left_id", "right_id", "verdict"]]
    frame = pairs.merge(last, on=["left_id", "right_id"], how="outer")
    frame["how"] = frame["how"].fillna("judged").astype("str")
    for text in ("left_name", "right_name", "facts"):
        frame[text] = frame[text].fillna("").astype("str")
    frame["verdict"] = frame["verdict"].fillna("").astype("str")
    frame = frame[frame["verdict"] != "different"]
    return frame.sort_values(["left_id", "right_id"], ignore_index=True)


def _scores(left: pd.DataFrame, right: pd.DataFrame, limits: Limits) -> tuple[pd.Series, pd.Series]:
    """Return scores of 0 to 100, 0 where place or numerals contradict, and whether names are written alike."""
    similar = process.cpdist(left["core"].tolist(), right["core"].tolist(), scorer=fuzz.ratio)
    score = pd.Series(similar, index=left.index, dtype="float64")
    one_place = left["place"] == right["place"]
    # One place alone can only be equal or missing. Of several, all places of one side must be on the other.
    nested = one_place | (left["place"] == "") | (right["place"] == "")
    several = ~nested & (left["place"].str.contains(" ") | right["place"].str.contains(" "))
    for at in np.flatnonzero(several).tolist():
        one, other = set(left["place"].iloc[at].split()), set(right["place"].iloc[at].split())
        nested.iloc[at] = one <= other or other <= one
    agree = nested & (left["numerals"] == right["numerals"])
    same_form, same_branch = left["form"] == right["form"], left["branch"] == right["branch"]
    alike = (left["core"] == right["core"]) & one_place & agree & same_form
    doubts = (
        limits.missing_place * (~one_place).astype(float)
        + limits.other_form * (~same_form).astype(float)
        + limits.other_branch * (~same_branch).astype(float)
    )
    return (score - doubts).clip(lower=0).where(agree, 0.0), alike


def _neighbours(cores: pd.Series, max_bucket: int) -> tuple[NDArray[np.int64], int]:
    """Return pairs of positions whose texts are within one character, and the names left out by large buckets.

    Every text is filed under its own key, and under the keys of the text without each one of its characters. So
    two texts within one insertion, deletion or replacement of each other meet under one key. Keys are 64-bit
    hashes. What meets by chance is told apart by its score.
    """
    if len(cores) == 0:
        return np.empty((0, 2), dtype=np.int64), 0
    texts = cores.str.slice(0, _LONGEST_NAME)
    lengths = texts.str.len().to_numpy(dtype=np.int64)
    width = max(int(lengths.max()), 1)
    padded = texts.str.ljust(width, "\0").to_numpy(dtype=f"U{width}")
    letters = padded.view(np.uint32).reshape(len(texts), width).astype(np.uint64)
    # Polynomial hash, modulo 2**64: prefix[i] of the first i letters, suffix[i] of the letters from i on.
    base = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        letters = (letters + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        letters ^= letters >> np.uint64(29)
        powers = np.concatenate(([np.uint64(1)], np.cumprod(np.full(width, base))))
        prefix = np.zeros((len(texts), width + 1), dtype=np.uint64)
        for place in range(width):
            prefix[:, place + 1] = prefix[:, place] * base + letters[:, place]
        whole = prefix[np.arange(len(texts)), lengths]
        keys, owners = [whole], [np.arange(len(texts))]
        for place in range(width):
            has = np.flatnonzero(lengths > place)
            rest = lengths[has] - place - 1
            tail = whole[has] - prefix[has, place + 1] * powers[rest]
            keys.append(prefix[has, place] * powers[rest] + tail)
            owners.append(has)
    return _inside_buckets(pd.Series(np.concatenate(keys)), pd.Series(np.concatenate(owners)), max_bucket)


def _inside_buckets(keys: pd.Series, owners: pd.Series, max_bucket: int) -> tuple[NDArray[np.int64], int]:
    """Return the distinct pairs of owners of one key, and the owners in buckets too large to be paired."""
    filed = pd.DataFrame({"key": keys.to_numpy(), "owner": owners.to_numpy()}).drop_duplicates()
    size = filed.groupby("key")["owner"].transform("size")
    cut = int(filed.loc[size > max_bucket, "owner"].nunique())
    filed = filed[(size > 1) & (size <= max_bucket)].sort_values(["key", "owner"])
    return _pairs_inside(filed["key"].to_numpy(), filed["owner"].to_numpy(dtype=np.int64)), cut


def _pairs_inside(groups: NDArray[Any], members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct pairs of members of one group; the rows are sorted by group."""
    if len(groups) == 0:
        return np.empty((0, 2), dtype=np.int64)
    sizes = np.diff(np.flatnonzero(np.concatenate(([True], groups[1:] != groups[:-1], [True]))))
    size = np.repeat(sizes, sizes)
    left = np.repeat(np.arange(len(members)), size)
    first = np.repeat(np.repeat(np.cumsum(sizes) - sizes, sizes), size)
    right = first + np.arange(len(left)) - np.repeat(np.cumsum(size) - size, size)
    pairs = np.stack([members[left], members[right]], axis=1)
    found: NDArray[np.int64] = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    return found


def _shared_facts(facts: pd.DataFrame, max_holders: int) -> pd.DataFrame:
    """Return ``left_id``, ``right_id`` and ``facts``: the kinds of facts that few hold and these two share."""
    facts = facts.drop_duplicates().reset_index(drop=True)
    size = facts.groupby(["kind", "fact"])["party_id"].transform("size")
    rare = facts[(size > 1) & (size <= max_holders)]
    pairs = rare.merge(rare, on=["kind", "fact"], suffixes=("_left", "_right"))
    pairs = pairs[pairs["party_id_left"] < pairs["party_id_right"]]
    pairs = pairs.rename(columns={"party_id_left": "left_id", "party_id_right": "right_id"})
    pairs = (
        pairs[["left_id", "right_id", "kind"]].drop_duplicates().sort_values(["left_id", "right_id", "kind"])
    )
    return pairs.groupby(["left_id", "right_id"])["kind"].agg(", ".join).rename("facts").reset_index()


def _positions(pairs: pd.DataFrame, names: pd.DataFrame) -> NDArray[np.int64]:
    """Return the pairs of positions in ``names`` of all names of the pairs' parties, lower first."""
    place = names[["party_id"]].assign(place=np.arange(len(names)))
    both = pairs.merge(place, left_on="left_id", right_on="party_id").merge(
        place, left_on="right_id", right_on="party_id", suffixes=("_left", "_right")
    )
    found: NDArray[np.int64] = np.sort(both[["place_left", "place_right"]].to_numpy(dtype=np.int64), axis=1)
    return found
