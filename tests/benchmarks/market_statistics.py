"""What a market looks like in numbers: the statistics that `marginals.py` sets beside those of other markets.

P50 is the median.

bids per lot          over lots; a set that lists only winners has none
CV, RD, SKEW          sealed bids, lots of three prices or more. CV: sample deviation / mean. RD: (second - lowest)
                      / sample deviation of the losing prices. SKEW: bias-corrected
tie, pair<0.1%        share of those lots with two equal prices; with two prices less than 0.1 % of the lower apart
whole, 100s, 1000s    share of prices that are multiples of 1, 100, 1000 units of a currency that has cents
3 digits, 4 digits    share of prices of at most so many significant digits, in any currency
tail ratio            pairs of different prices of a lot, whole hundreds left aside, whose last two digits before
                      the point are equal, as against pairs of two different lots: 1 is chance
winner/ceiling        over winners
bid/ceiling           over bids of lots of three prices or more
two within 5 s, 60 s  share of lots of three timed bids or more with two handed in so close to each other
hours before opening  over bids
Jaccard               pairs of bidders with five joint lots or more: joint lots / lots of either
one bid only          share of bidders; bids per bidder, Gini of bids: over bidders
HHI of wins           sum of squared shares of a trade's wins, trades weighted by wins

A quantile or share over lots or bidders needs 20 of them (P1 and P99: 100), one over prices or bids 200, one over
pairs of bidders 100 (500).
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import real_sets
from scipy import sparse

MIN_LOTS = 20
MIN_BIDS = 200
MIN_PAIRS = 100
MIN_EQUAL_TAILS = 100  # pairs of equal digits that chance gives: the ratio is then known to about a tenth
MIN_JOINT_LOTS = 5
PAIR_BUDGET = 20_000_000  # looked-up pairs: a county with lots of 2,000 bids has a thousand million
BANDS = ((3, 4), (5, 9), (10, 19), (20, 49), (50, np.inf))
HAS_CENTS = ("CNY", "BRL")

PER_LOT = """
WITH prices AS (
    SELECT lot, price, lag(price) OVER w AS lower, row_number() OVER w AS place,
           price / avg(price) OVER (PARTITION BY lot) - 1 AS centred
    FROM bids WHERE price IS NOT NULL WINDOW w AS (PARTITION BY lot ORDER BY price)
),
screens AS (
    SELECT lot, count(*) AS priced, stddev_samp(centred) AS cv,
           (min(price) FILTER (place = 2) - min(price)) / nullif(stddev_samp(price) FILTER (place > 1), 0) AS rd,
           CASE WHEN count(*) > 2 AND min(price) < max(price) THEN skewness(centred) END AS skew,
           bool_or(price = lower) AS is_tie, bool_or(price - lower < 0.001 * lower) AS is_close
    FROM prices GROUP BY lot
),
times AS (
    SELECT lot, count(*) AS timed, min(gap) AS gap FROM (
        SELECT lot, epoch(submitted_at) - lag(epoch(submitted_at)) OVER (PARTITION BY lot ORDER BY submitted_at) AS gap
        FROM bids WHERE submitted_at IS NOT NULL
    ) GROUP BY lot
)
SELECT l.*, coalesce(priced, 0) AS priced, cv, rd, skew, is_tie, is_close, coalesce(timed, 0) AS timed, gap
FROM (
    SELECT lot, count(*) AS bids, any_value(award_method) AS award_method, bool_and(is_whole) AS is_whole,
           bool_and(is_sealed) AS is_sealed
    FROM bids GROUP BY lot
) AS l LEFT JOIN screens USING (lot) LEFT JOIN times USING (lot) ORDER BY lot
"""


def marginals(bids: pd.DataFrame) -> pd.Series:
    """Return the statistics of one market, in a fixed order; NaN where the market cannot tell.

    Args:
        bids: one row per bid, the columns of ``real_sets.COLUMNS``; ``price`` and ``ceiling`` in one currency.
    """
    con = duckdb.connect(config={"threads": 2})
    try:
        con.register("bids", bids)
        lots = per_lot(bids)
        whole = lots[lots["is_whole"]]
        found = {
            "lots": float(len(lots)),
            "bids": float(len(bids)),
            **sizes(whole["bids"].to_numpy()),
            **screens(whole[whole["is_sealed"] & (whole["priced"] >= 3)]),
            **digits(con),
            **ceilings(con),
            **times(con, whole[whole["timed"] >= 3]),
            **bidders(con),
        }
    finally:
        con.close()
    return pd.Series(found, dtype=float)


def per_lot(bids: pd.DataFrame) -> pd.DataFrame:
    """Return the screens of every lot: ``bids``, ``priced``, ``cv``, ``rd``, ``skew``, ``is_tie``, ``is_close``, ``gap``."""
    con = duckdb.connect(config={"threads": 2})
    try:
        con.register("bids", bids)
        found: pd.DataFrame = con.sql(PER_LOT).df()
    finally:
        con.close()
    return found


# ---- the statistics


def quantiles(name: str, values: np.ndarray, percents: tuple[int, ...], least: int) -> dict[str, float]:
    """Return named quantiles, NaN with fewer than ``least`` values (the outer hundredths: five times as many)."""
    values = values[~np.isnan(values)]
    enough = {p: len(values) >= (5 * least if p in {1, 99} else least) for p in percents}
    return {f"{name} P{p}": float(np.percentile(values, p)) if enough[p] else np.nan for p in percents}


def share(holds: pd.Series, least: int = MIN_LOTS) -> float:
    """Return the share that holds, NaN with fewer than ``least``."""
    return float(holds.astype(bool).mean()) if len(holds) >= least else np.nan


def sizes(bids: np.ndarray) -> dict[str, float]:
    """Bids per lot."""
    counted = bids.astype(float)
    return {
        **quantiles("bids per lot", counted, (5, 25, 50, 75, 95, 99), MIN_LOTS),
        "bids per lot max": float(counted.max()) if len(counted) >= MIN_LOTS else np.nan,
        "lots with < 3 bids": share(pd.Series(counted < 3)),
    }


def screens(lots: pd.DataFrame) -> dict[str, float]:
    """Price screens of lots with three prices or more, by award method; ties and close pairs by number of prices."""
    found: dict[str, float] = {}
    for method in ("any method", *real_sets.AWARD_METHODS):
        chosen = lots if method == "any method" else lots[lots["award_method"] == method]
        found |= quantiles(f"CV {method}", chosen["cv"].to_numpy(float), (5, 25, 50, 75, 95), MIN_LOTS)
        found |= quantiles(f"RD {method}", chosen["rd"].to_numpy(float), (50,), MIN_LOTS)
        found |= quantiles(f"SKEW {method}", chosen["skew"].to_numpy(float), (50,), MIN_LOTS)
    found["tie"] = share(lots["is_tie"])
    found |= {f"tie, {band}": share(some["is_tie"]) for band, some in banded(lots, "priced").items()}
    found |= {f"pair<0.1%, {band}": share(some["is_close"]) for band, some in banded(lots, "priced").items()}
    return found


def banded(lots: pd.DataFrame, size: str) -> dict[str, pd.DataFrame]:
    """Split lots into the bands of ``size``."""
    return {
        f"n {low}+" if high == np.inf else f"n {low}-{high}": lots[lots[size].between(low, high)]
        for low, high in BANDS
    }


def digits(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Rounding of prices, and equal last digits in a lot beyond chance."""
    names = ("whole", "100s", "1000s", "3 digits", "4 digits")
    row = con.sql(
        """
        WITH prices AS (SELECT currency, is_cut, CAST(round(price * 100) AS HUGEINT) AS cents
                        FROM bids WHERE price IS NOT NULL AND currency IS NOT NULL),
             measured AS (SELECT currency IN $has_cents AS has_cents, is_cut, cents,
                                 length(rtrim(CAST(cents AS VARCHAR), '0')) AS digits FROM prices)
        SELECT count(*) FILTER (has_cents AND NOT is_cut), count(*) FILTER (has_cents), count(*),
               avg(CAST(cents % 100 = 0 AS INTEGER)) FILTER (has_cents AND NOT is_cut),
               avg(CAST(cents % 10000 = 0 AS INTEGER)) FILTER (has_cents),
               avg(CAST(cents % 100000 = 0 AS INTEGER)) FILTER (has_cents),
               avg(CAST(digits <= 3 AS INTEGER)), avg(CAST(digits <= 4 AS INTEGER))
        FROM measured
        """,
        params={"has_cents": list(HAS_CENTS)},
    ).fetchall()[0]
    uncut, with_cents, all_of_them, *shares = row
    told = (uncut, with_cents, with_cents, all_of_them, all_of_them)
    found = {name: s if n >= MIN_BIDS else np.nan for name, s, n in zip(names, shares, told, strict=True)}
    same, pairs, chance = con.sql(
        """
        WITH tails AS (SELECT DISTINCT lot, price, CAST(floor(price) AS HUGEINT) % 100 AS tail
                       FROM bids WHERE is_whole AND is_sealed AND currency IS NOT NULL AND price % 100 <> 0),
             cells AS (SELECT lot, tail, CAST(count(*) AS DOUBLE) AS n FROM tails GROUP BY lot, tail),
             inside AS (SELECT sum(n * n) AS equal, sum(n) AS own FROM cells),
             lots AS (SELECT sum(n * n) AS pairs FROM (SELECT sum(n) AS n FROM cells GROUP BY lot)),
             tail AS (SELECT sum(n * n) AS equal FROM (SELECT sum(n) AS n FROM cells GROUP BY tail))
        SELECT inside.equal - own, pairs - own, (tail.equal - inside.equal) / nullif(own * own - pairs, 0)
        FROM inside, lots, tail
        """
    ).fetchall()[0]
    enough = chance is not None and pairs * chance / 2 >= MIN_EQUAL_TAILS
    return {**found, "tail ratio": same / (pairs * chance) if enough else np.nan}


def ceilings(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Prices as a share of the ceiling."""
    shares = con.sql(
        "SELECT price / ceiling AS share, coalesce(is_winner, FALSE) AS won, count(price) OVER (PARTITION BY lot) AS priced"
        " FROM bids WHERE price IS NOT NULL AND ceiling > 0"
    ).df()
    won = shares.loc[shares["won"], "share"].to_numpy(float)
    bid = shares.loc[shares["priced"] >= 3, "share"].to_numpy(float)
    return {
        **quantiles("winner/ceiling", won, (5, 25, 50, 75, 95), MIN_LOTS),
        **quantiles("bid/ceiling", bid, (5, 50, 95), MIN_BIDS),
    }


def times(con: duckdb.DuckDBPyConnection, lots: pd.DataFrame) -> dict[str, float]:
    """When bids were handed in."""
    found = {
        f"two within {seconds} s, {band}": share(some["gap"] <= seconds)
        for seconds in (5, 60)
        for band, some in banded(lots, "timed").items()
    }
    hours = con.sql(
        "SELECT (epoch(opening_at) - epoch(submitted_at)) / 3600 AS hours FROM bids"
        " WHERE submitted_at IS NOT NULL AND opening_at IS NOT NULL"
    ).df()["hours"]
    return {**found, **quantiles("hours before opening", hours.to_numpy(float), (5, 50, 95), MIN_BIDS)}


def bidders(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """How bids, wins and joint lots spread over bidders."""
    seats = con.sql(
        "SELECT DISTINCT lot, bidder FROM bids WHERE is_whole AND bidder IS NOT NULL ORDER BY bidder, lot"
    ).df()
    lot, _ = pd.factorize(seats["lot"])
    bidder, _ = pd.factorize(seats["bidder"])
    told = len(lot) > 0 and lot.max() + 1 >= MIN_LOTS
    made = np.sort(np.bincount(bidder)).astype(float) if told else np.array([])
    rank = np.arange(1, len(made) + 1)
    wins = con.sql(
        """
        WITH won AS (SELECT coalesce(trade, '') AS trade, bidder, CAST(count(*) AS DOUBLE) AS n FROM bids
                     WHERE is_winner AND bidder IS NOT NULL GROUP BY 1, 2)
        SELECT sum(n), sum(hhi * n) / sum(n)
        FROM (SELECT sum(n) AS n, sum(n * n) / (sum(n) * sum(n)) AS hhi FROM won GROUP BY trade)
        """
    ).fetchall()[0]
    return {
        **quantiles("Jaccard", jaccard(bidder, lot) if told else np.array([]), (50, 95, 99), MIN_PAIRS),
        "one bid only": float((made == 1).mean()) if told else np.nan,
        **quantiles("bids per bidder", made, (50, 75, 95, 99), MIN_LOTS),
        "Gini of bids": float(((2 * rank - len(made) - 1) * made).sum() / (len(made) * made.sum()))
        if told
        else np.nan,
        "HHI of wins": wins[1] if wins[0] is not None and wins[0] >= MIN_LOTS else np.nan,
    }


def jaccard(bidder: np.ndarray, lot: np.ndarray) -> np.ndarray:
    """Return joint lots / lots of either, of pairs with ``MIN_JOINT_LOTS`` joint lots or more.

    Bidders are drawn in a fixed random order, each compared with all others, until the pairs looked up reach
    ``PAIR_BUDGET``; with all of them drawn every pair stands twice, which no quantile sees.

    Args:
        bidder, lot: numbers from 0, one entry per bid, no entry twice.
    """
    made = np.bincount(bidder)
    kept = made[bidder] >= MIN_JOINT_LOTS
    seats = sparse.csr_array(
        (np.ones(kept.sum(), np.int32), (bidder[kept], lot[kept])), shape=(len(made), lot.max() + 1)
    )
    cost = seats @ np.bincount(lot[kept], minlength=seats.shape[1])
    order = np.random.default_rng(0).permutation(np.flatnonzero(cost))
    drawn = order[: int(np.searchsorted(np.cumsum(cost[order]), PAIR_BUDGET)) + 1]
    joint = (seats[drawn] @ seats.T.tocsr()).tocoo()
    one, other = drawn[joint.row], joint.col
    met = (joint.data >= MIN_JOINT_LOTS) & (one != other)
    return np.asarray(joint.data[met] / (made[one[met]] + made[other[met]] - joint.data[met]), dtype=float)
