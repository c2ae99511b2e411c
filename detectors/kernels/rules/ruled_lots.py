"""Lots whose award rule is known to the letter, as arrays from which their evaluation can be computed again.

A lot has a rule where the wording of its tender document (评标办法) is, character by character, the wording of
one rule of ``data/reference/award_rules.toml``. A wording that only resembles one may differ in a number,
and the numbers decide: such a lot has no rule here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import Engine, Need
from detectors.kernels.prices.blocks import blocks
from detectors.kernels.rules.award_rules import MAX_FEN, AwardRule, Draws, Numbers, benchmark, rules
from detectors.kernels.rules.opening_draws import parse

#: What this kernel reads of ``data/reference``: part of the version of every detector that uses it.
REFERENCE_DATA = ("award_rules.toml",)

# A bid that the committee rejected enters no benchmark. A lot with a bid in another currency, or in
# parts of a fen, cannot be computed again.
USABLE = f"""
WITH counted AS (
    SELECT b.lot_id, b.bidder_id, b.currency, CAST(b.price * 100 AS DOUBLE) AS price_fen,
           CAST(s.price_score AS DOUBLE) AS price_score, CAST(s.other_score AS DOUBLE) AS other_score,
           CAST(coalesce(s.rank, k.rank) AS DOUBLE) AS rank
    FROM core.bids AS b
    LEFT JOIN core.scores AS s ON s.lot_id = b.lot_id AND s.bidder_id = b.bidder_id
    LEFT JOIN core.candidates AS k ON k.lot_id = b.lot_id AND k.candidate_id = b.bidder_id
    WHERE b.is_valid AND b.price > 0 AND NOT coalesce(s.is_vetoed, FALSE)
),
usable AS (
    SELECT lot_id
    FROM counted
    GROUP BY lot_id
    HAVING min(CASE WHEN currency = 'CNY' AND price_fen = floor(price_fen) THEN 1 ELSE 0 END) = 1
       AND max(price_fen) <= {MAX_FEN}
)
"""

BIDS = (
    USABLE
    + """,
evaluated AS (
    SELECT DISTINCT lot_id FROM core.scores
)
SELECT c.lot_id, c.bidder_id, c.price_fen, c.price_score, c.other_score, c.rank,
       d.evaluation_method, l.award_method, x.drawn_values,
       CASE WHEN l.currency = 'CNY' AND l.ceiling_price > 0 THEN CAST(l.ceiling_price * 100 AS DOUBLE) END
           AS ceiling_fen,
       CAST(x.benchmark_price_cny AS DOUBLE) AS announced_benchmark_cny, e.lot_id IS NOT NULL AS is_evaluated
FROM counted AS c
JOIN usable AS u ON u.lot_id = c.lot_id
JOIN core.lots AS l ON l.lot_id = c.lot_id
JOIN core.documents AS d ON d.lot_id = c.lot_id
LEFT JOIN core.opening_draws AS x ON x.lot_id = c.lot_id
LEFT JOIN evaluated AS e ON e.lot_id = c.lot_id
WHERE d.evaluation_method IS NOT NULL
ORDER BY c.lot_id, c.bidder_id
"""
)

WHOLE_FEN = Need(
    "no valid prices, or not all of them in yuan and whole fen",
    "无有效报价，或报价非人民币、不足整分",
    f"{USABLE}SELECT lot_id AS unit FROM usable",
)

WORDING = Need(
    "the wording of the evaluation method was not delivered",
    "未提供评标办法原文",
    "SELECT lot_id AS unit FROM core.documents WHERE evaluation_method IS NOT NULL",
)


@dataclass(frozen=True, kw_only=True)
class RuledLots:
    """Lots of one award rule with the same number of valid bids.

    Attributes:
        rule: their award rule.
        lot_id: shape (lots,).
        is_evaluated: whether the committee's result was delivered: else a rejected bid may stand among the
            bids unseen; shape (lots,).
        bidder_id: shape (lots, n); one bidder stands once in a lot.
        prices: in whole fen, shape (lots, n).
        ceilings: in whole fen, NaN where unknown, shape (lots,).
        draws: K, F and C as announced, NaN where none was, shape (lots,) each.
        benchmarks: computed from these by the rule, in whole fen, NaN where something needed is
            unknown or the rule has none, shape (lots,).
        announced_benchmarks: in fen, NaN where none was announced, shape (lots,).
        price_scores, other_scores: announced points, NaN where there are none, shape (lots, n).
        ranks: as announced, else of the winning candidates, NaN where there is none, shape (lots, n).
    """

    rule: AwardRule
    lot_id: NDArray[np.object_]
    is_evaluated: NDArray[np.bool_]
    bidder_id: NDArray[np.object_]
    prices: Numbers
    ceilings: Numbers
    draws: Draws
    benchmarks: Numbers
    announced_benchmarks: Numbers
    price_scores: Numbers
    other_scores: Numbers
    ranks: Numbers

    @property
    def bids(self) -> int:
        """Number of bids of each of these lots."""
        return int(self.prices.shape[1])


def rule_table(engine: Engine) -> pa.Table:
    """Return ``feat.award_rules``: one row per known rule.

    Columns: ``rule`` (id); ``family`` and ``method_text``, by which a lot is known to have it; ``is_drawn`` (a
    coefficient is drawn at the opening); ``has_mean`` (the benchmark is made of the mean of the bids).
    """
    known = rules(engine.reference(*REFERENCE_DATA)).values()
    return pa.table(
        {
            "rule": pa.array([rule.id for rule in known], pa.string()),
            "family": pa.array([rule.family for rule in known], pa.string()),
            "method_text": pa.array([rule.method_text for rule in known], pa.string()),
            "is_drawn": pa.array([bool(rule.drawn) for rule in known], pa.bool_()),
            "has_mean": pa.array([rule.has_mean for rule in known], pa.bool_()),
        }
    )


def has_rule(lack: str, lack_zh: str, wanted: str = "TRUE") -> Need:
    """Return the need of a lot whose wording and award method are those of a known rule that is wanted.

    Args:
        lack, lack_zh: what is said of lots that have none.
        wanted: SQL condition on a row ``r`` of ``feat.award_rules``; all of them if left out.
    """
    return Need(
        lack,
        lack_zh,
        "SELECT d.lot_id AS unit FROM core.documents AS d JOIN core.lots AS l ON l.lot_id = d.lot_id"
        " JOIN feat.award_rules AS r ON r.method_text = d.evaluation_method AND r.family = l.award_method"
        f" WHERE {wanted}",
    )


RECOGNISED = has_rule("no award rule recognised in the evaluation method", "评标办法未识别为已知评标规则")


def ruled_lots(engine: Engine, min_bids: int = 1) -> Iterator[RuledLots]:
    """Give every lot with a known rule once, with lots of the same rule and number of bids.

    Args:
        engine: to read the tables with.
        min_bids: lots with fewer valid bids are left out.
    """
    table = engine.run(BIDS).combine_chunks()
    if table.num_rows == 0:
        return
    lot_id = table["lot_id"].combine_chunks()
    starts = np.flatnonzero(
        np.append(True, pc.not_equal(lot_id[1:], lot_id[:-1]).to_numpy(zero_copy_only=False))
    )
    sizes = np.diff(np.append(starts, table.num_rows))
    heads = table.take(pa.array(starts)).combine_chunks()
    draws = {letter: _share(values) for letter, values in parse(heads["drawn_values"]).items()}
    ceilings = _whole(_numbers(heads, "ceiling_fen"))
    announced = _numbers(heads, "announced_benchmark_cny") * 100
    lot_ids, is_evaluated = heads["lot_id"].to_numpy(), heads["is_evaluated"].to_numpy(zero_copy_only=False)
    methods, families = heads["evaluation_method"], heads["award_method"]
    bidders = table["bidder_id"].to_numpy()
    prices, ranks = _numbers(table, "price_fen"), _numbers(table, "rank")
    price_scores, other_scores = _numbers(table, "price_score"), _numbers(table, "other_score")
    for rule in rules(engine.reference(*REFERENCE_DATA)).values():
        # Where the centre classified the lot in another way than its own wording, neither is taken.
        is_of_rule = pc.and_(pc.equal(methods, rule.method_text), pc.equal(families, rule.family))
        is_of_rule = pc.fill_null(is_of_rule, False).to_numpy()
        for block in blocks(np.where(is_of_rule, sizes, 0), min_bids):
            lots, rows = block.lots, starts[block.lots][:, None] + np.arange(block.rows.shape[1])
            values = {letter: drawn[lots] for letter, drawn in draws.items()}
            yield RuledLots(
                rule=rule,
                lot_id=lot_ids[lots],
                is_evaluated=is_evaluated[lots],
                bidder_id=bidders[rows],
                prices=prices[rows],
                ceilings=ceilings[lots],
                draws=values,
                benchmarks=benchmark(rule, prices[rows], ceilings[lots], values),
                announced_benchmarks=announced[lots],
                price_scores=price_scores[rows],
                other_scores=other_scores[rows],
                ranks=ranks[rows],
            )


def _numbers(table: pa.Table, column: str) -> Numbers:
    values: Numbers = pc.fill_null(table[column], np.nan).to_numpy()
    return values


def _whole(fen: Numbers) -> Numbers:
    """Return ceilings; NaN where one is in parts of a fen or beyond any price."""
    return np.where((fen == np.floor(fen)) & (fen >= 1) & (fen <= MAX_FEN), fen, np.nan)


def _share(values: Numbers) -> Numbers:
    """Return drawn values; NaN where one is no share: a coefficient above 1 is a typing error."""
    return np.where(values <= 1, values, np.nan)
