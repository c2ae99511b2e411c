import itertools
import math
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import hypergeom

from detectors.kernels.firms import chances as chances_module
from detectors.kernels.firms import pairs
from detectors.kernels.firms.chances import EXACT_JOINT, chances, chances_in_spread, market_spread
from detectors.kernels.firms.pairs import (
    Meetings,
    Pairs,
    frequent_pairs,
    meetings,
    pair_sums,
    possible_pairs,
    q_values,
)


def met_from(came, stratum):
    """Meetings from a dense firm x occasion table and the stratum of every occasion."""
    came, stratum = np.asarray(came, dtype=float), np.asarray(stratum)
    strata = int(stratum.max()) + 1
    by_stratum = np.stack([came[:, stratum == s].sum(axis=1) for s in range(strata)], axis=1)
    return Meetings(
        firms=np.array([f"F{number:04}" for number in range(len(came))], dtype=object),
        came=csr_array(came),
        by_stratum=csr_array(by_stratum),
        size=np.bincount(stratum, minlength=strata).astype(np.int64),
    )


def random_market(firms=25, occasions=120, strata=4, seed=3):
    rng = np.random.default_rng(seed)
    return met_from(rng.random((firms, occasions)) < 0.3, rng.integers(0, strata, occasions))


def exact_tail(met, first, second, joint):
    """P(joint occasions >= joint) by convolving whole distributions."""
    total = np.ones(1)
    for one, other, size in zip(
        met.by_stratum.toarray()[first], met.by_stratum.toarray()[second], met.size, strict=True
    ):
        law = hypergeom(int(size), int(one), int(other))
        total = np.convolve(total, law.pmf(np.arange(int(min(one, other)) + 1)))
    return total[joint:].sum()


def test_frequent_pairs_are_those_that_a_plain_count_finds(monkeypatch):
    met = random_market()
    plain = Counter()
    for column in met.came.toarray().T:
        plain.update(itertools.combinations(np.flatnonzero(column).tolist(), 2))
    expected = {pair: n for pair, n in plain.items() if n >= 12}
    assert expected
    for cells in (pairs.SLICE_CELLS, 7):  # one slice, and a slice for every firm
        monkeypatch.setattr(pairs, "SLICE_CELLS", cells)
        monkeypatch.setattr(chances_module, "SLICE_CELLS", cells)
        found = frequent_pairs(met.came, 12)
        assert dict(zip(zip(found.first, found.second, strict=True), found.joint, strict=True)) == expected


def test_chances_are_exact_over_several_strata():
    met = random_market()
    found = frequent_pairs(met.came, 14)
    chance = chances(met, found)
    is_exact = chance.p_value < 0.05
    assert is_exact.sum() > 5
    for place in np.flatnonzero(is_exact):
        tail = exact_tail(met, found.first[place], found.second[place], found.joint[place])
        assert chance.p_value[place] == pytest.approx(tail, rel=1e-9)


def test_the_smallest_tails_keep_their_digits():
    came = np.zeros((2, 400))
    came[:, :30] = 1
    met = met_from(came, np.zeros(400, dtype=int))
    both = Pairs(np.array([0]), np.array([1]), np.array([30]))
    assert chances(met, both).p_value[0] == pytest.approx(1 / math.comb(400, 30), rel=1e-6)


def test_where_the_chance_is_not_computed_it_is_bounded_from_above(monkeypatch):
    met = random_market()
    found = frequent_pairs(met.came, 5)
    exact = np.array([exact_tail(met, *pair) for pair in zip(*found, strict=True)])
    for limit in (EXACT_JOINT, 0):
        monkeypatch.setattr(chances_module, "EXACT_JOINT", limit)
        assert (chances(met, found).p_value >= exact * (1 - 1e-9)).all()


def test_expected_joint_occasions_and_their_variance_are_those_of_the_strata():
    met = random_market()
    found = frequent_pairs(met.came, 5)
    chance = chances(met, found)
    for place in (0, len(found.joint) // 2, len(found.joint) - 1):
        laws = [
            hypergeom(int(size), int(one), int(other))
            for one, other, size in zip(
                met.by_stratum.toarray()[found.first[place]],
                met.by_stratum.toarray()[found.second[place]],
                met.size,
                strict=True,
            )
        ]
        assert chance.expected[place] == pytest.approx(sum(law.mean() for law in laws))
        assert chance.variance[place] == pytest.approx(sum(law.var() for law in laws))


def test_a_market_of_like_firms_has_no_spread_and_a_market_of_niches_has():
    rng = np.random.default_rng(5)
    stratum = np.zeros(600, dtype=int)
    like = met_from(rng.random((60, 600)) < 0.1, stratum)
    niche = np.arange(600) % 3
    apart = met_from((np.arange(60)[:, None] % 3 == niche) & (rng.random((60, 600)) < 0.3), stratum)
    assert market_spread(like, 5) < 0.05
    # Pairs of one niche meet three times as often as by chance, the others never: variance 2 or more.
    assert 2 <= market_spread(apart, 5) < 4


def test_a_ring_does_not_add_to_the_spread_of_its_market():
    rng = np.random.default_rng(5)
    came = rng.random((60, 600)) < 0.1
    came[:4, :60] = True
    assert market_spread(met_from(came, np.zeros(600, dtype=int)), 5) < 0.05


def test_a_market_where_firms_come_from_many_small_niches_has_a_large_spread():
    rng = np.random.default_rng(5)
    niche = np.arange(1_200) % 20
    came = (np.arange(100)[:, None] % 20 == niche) & (rng.random((100, 1_200)) < 0.5)
    assert market_spread(met_from(came, np.zeros(1_200, dtype=int)), 5) > 15


def test_firms_without_a_common_stratum_are_no_test():
    came = np.ones((6, 40))
    came[:3, :20] = came[3:, 20:] = 0
    met = met_from(came, np.arange(40) // 20)
    assert possible_pairs(met, 5) == 3 + 3
    assert possible_pairs(met, 21) == 0


def test_spread_only_makes_a_pair_more_likely():
    met = random_market()
    found = frequent_pairs(met.came, 5)
    chance = chances(met, found)
    most = np.minimum(*(np.diff(met.came.indptr)[column] for column in found[:2]))
    calm, wild = (chances_in_spread(chance, found.joint, most, spread) for spread in (0.0, 0.5))
    assert (calm >= chance.p_value).all()
    assert (wild >= chance.p_value).all()
    unusual = chance.p_value < 0.05
    assert (wild[unusual] > 2 * chance.p_value[unusual]).all()


def test_q_values_count_the_tests_that_were_not_looked_at():
    p = np.array([0.04, 0.001, 0.02])
    assert q_values(p, 3).tolist() == pytest.approx([0.04, 0.003, 0.03])
    assert q_values(p, 30).tolist() == pytest.approx([0.4, 0.03, 0.3])
    assert q_values(np.empty(0), 0).tolist() == []


def test_pair_sums_multiply_lot_by_lot():
    one = csr_array(np.array([[1.0, 2, 0], [0, 3, 4]]))
    both = Pairs(np.array([0]), np.array([1]), np.array([1]))
    assert pair_sums(one, one, both).tolist() == [6.0]


def test_lots_of_one_tender_and_repeated_rounds_are_one_meeting(market):
    market.lots("lot tender_id re_tender_no\nL1 T1 1\nL2 T1 1\nL3 T1 2\nL4 - -")
    market.bids("lot bidder\n" + "\n".join(f"L{n} {firm}" for n in range(1, 5) for firm in "AB"))
    met = meetings(market.engine, min_stratum=20)
    assert frequent_pairs(met.came, 1).joint.tolist() == [2]
    assert possible_pairs(met, 2) == 1
    assert possible_pairs(met, 3) == 0


def test_lots_with_many_bidders_are_compared_among_themselves(market):
    sizes = [3] * 25 + [40] * 25
    rows = [(f"L{lot:03}", f"B{n:03}") for lot, size in enumerate(sizes) for n in range(size)]
    market.append(
        "lots", pd.DataFrame({"lot_id": [f"L{lot:03}" for lot in range(50)], "opened_on": "2026-03-02"})
    )
    market.append("bids", pd.DataFrame(rows, columns=["lot_id", "bidder_id"]))
    met = meetings(market.engine, min_stratum=20)
    assert sorted(met.size.tolist()) == [25, 25]
    # All 40 came to all large lots: that they meet there says nothing.
    assert (chances(met, frequent_pairs(met.came, 5)).p_value == 1).all()


def test_openings_with_2000_bidders_and_firms_in_10000_lots_stay_in_bounds():
    rng = np.random.default_rng(1)
    large = np.repeat(np.arange(4), 2_000), np.tile(np.arange(2_000), 4)
    busy = np.tile(np.arange(4, 10_004), 3), np.repeat([0, 1, 2], 10_000)
    others = np.repeat(np.arange(4, 10_004), 3), rng.integers(3, 2_000, 30_000)
    occasion, firm = (np.concatenate(part) for part in zip(large, busy, others, strict=True))
    rows = np.unique(np.stack([firm, occasion], axis=1), axis=0)
    stratum = np.arange(10_004) % 40
    ones = np.ones(len(rows))
    met = Meetings(
        firms=np.array([f"F{number:04}" for number in range(2_000)], dtype=object),
        came=csr_array((ones, (rows[:, 0], rows[:, 1])), shape=(2_000, 10_004)),
        by_stratum=csr_array((ones, (rows[:, 0], stratum[rows[:, 1]])), shape=(2_000, 40)),
        size=np.bincount(stratum).astype(np.int64),
    )
    tracemalloc.start()
    found = frequent_pairs(met.came, 4)
    chance = chances(met, Pairs(*(column[::10] for column in found)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.joint) == 2_000 * 1_999 // 2
    assert found.joint.max() == 10_004
    assert np.isfinite(chance.p_value).all()
    assert peak < 500e6
