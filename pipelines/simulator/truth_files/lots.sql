-- One row per lot.
WITH counted AS (
    SELECT lot, count(*) AS bids FROM world.bids GROUP BY lot
),
alike AS (
    SELECT lot, string_agg(DISTINCT what, ';' ORDER BY what) AS kinds FROM world.links WHERE is_innocent GROUP BY lot
)
SELECT l.lot_id, l.segment, l.region_code, l.rule, l.attempt, l.opening_at, coalesce(c.bids, 0) AS bids, l.status,
       yes_no(NOT r.is_forgone AND r.tactic <> 'none') AS is_rigged, r.ring, r.tactic, r.care, d.code AS designated, w.code AS winner,
       cny(l.ceiling_fen) AS ceiling_cny, cny(l.winner_fen) AS winner_price_cny, cny(b.cost_fen) AS winner_cost_cny,
       cny(r.price_given_up_fen) AS price_given_up_cny, yes_no(r.is_forgone) AS is_forgone, a.kinds AS look_alikes
FROM world.lots AS l
LEFT JOIN counted AS c ON c.lot = l.lot
LEFT JOIN world.rigged AS r ON r.lot = l.lot
LEFT JOIN world.firms AS d ON d.firm = r.designated
LEFT JOIN world.firms AS w ON w.firm = l.winner
LEFT JOIN world.bids AS b ON b.lot = l.lot AND b.firm = l.winner
LEFT JOIN alike AS a ON a.lot = l.lot
ORDER BY l.lot
