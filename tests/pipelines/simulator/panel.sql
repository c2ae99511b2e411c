-- One row per lot with three bids or more: what a tactic may move. Read by test_tactics.py.
WITH sizes AS (
    SELECT lot, count(*) AS bids FROM world.bids GROUP BY lot HAVING count(*) > 2
), placed AS (
    SELECT b.lot, b.firm, b.price_fen, b.submitted_at, b.veto, s.bids,
        row_number() OVER p AS place,
        b.price_fen - lag(b.price_fen) OVER p AS gap
    FROM world.bids AS b JOIN sizes AS s USING (lot)
    WINDOW p AS (PARTITION BY b.lot ORDER BY b.price_fen, b.firm)
), stepped AS (
    SELECT *, lead(gap) OVER (PARTITION BY lot ORDER BY place) AS next_gap FROM placed
), activity AS (
    SELECT firm, count(*) AS lots FROM world.bids GROUP BY firm
), record AS (
    SELECT b.firm, exp(-sum(1 / s.bids)) AS chance_of_none
    FROM world.bids AS b JOIN sizes AS s USING (lot) JOIN world.lots AS l USING (lot)
    WHERE l.status = 'awarded'
    GROUP BY b.firm HAVING count(*) FILTER (l.winner = b.firm) = 0
), met AS (
    SELECT one.firm AS firm, other.firm AS other, count(*) AS lots
    FROM world.bids AS one JOIN world.bids AS other ON other.lot = one.lot AND other.firm > one.firm
    GROUP BY ALL HAVING count(*) > 3
), closest AS (
    SELECT one.lot, max(m.lots / (a.lots + c.lots - m.lots)) AS jaccard
    FROM world.bids AS one
    JOIN world.bids AS other ON other.lot = one.lot AND other.firm > one.firm
    JOIN met AS m ON m.firm = one.firm AND m.other = other.firm
    JOIN activity AS a ON a.firm = one.firm
    JOIN activity AS c ON c.firm = other.firm
    GROUP BY one.lot
), served AS (
    SELECT buyer, winner, count(*) AS lots FROM world.lots WHERE winner >= 0 GROUP BY ALL
)
SELECT
    any_value(l.lot) AS lot, any_value(l.rule) AS rule, any_value(s.bids) AS bids,
    stddev_samp(s.price_fen) / avg(s.price_fen) AS dispersion,
    min(s.gap) FILTER (s.place = 2) / min(s.price_fen) AS gap_of_two_lowest,
    min(abs(s.next_gap - s.gap) / nullif(s.next_gap + s.gap, 0)) AS unevenness,
    max(abs(s.price_fen - m.middle)) / nullif(max(m.spread), 0) AS farthest_out,
    any_value(l.winner_fen) / any_value(l.ceiling_fen) AS price_level,
    avg(CASE WHEN s.veto IS NULL THEN 0 ELSE 1 END) AS rejected,
    max(CASE WHEN s.firm = l.winner THEN epoch(s.submitted_at) END) - max(CASE WHEN s.firm <> l.winner THEN epoch(s.submitted_at) END)
        > 0 AS winner_came_last,
    coalesce(any_value(v.lots), 0) AS won_from_buyer,
    coalesce(any_value(c.jaccard), 0) AS meet_again,
    min(coalesce(r.chance_of_none, 1)) AS never_wins,
    bool_or(s.firm = l.subcontractor) AS loser_was_paid,
    coalesce(any_value(g.tactic), 'honest') AS tactic,
    any_value(g.ring) AS ring
FROM stepped AS s
JOIN world.lots AS l ON l.lot = s.lot
JOIN (
    SELECT lot, median(price_fen) AS middle, quantile_cont(price_fen, 0.75) - quantile_cont(price_fen, 0.25) AS spread
    FROM placed GROUP BY lot
) AS m ON m.lot = s.lot
LEFT JOIN served AS v ON v.buyer = l.buyer AND v.winner = l.winner
LEFT JOIN record AS r ON r.firm = s.firm
LEFT JOIN closest AS c ON c.lot = s.lot
LEFT JOIN world.rigged AS g ON g.lot = s.lot AND NOT g.is_forgone
WHERE l.status = 'awarded'
GROUP BY s.lot
ORDER BY s.lot
