-- One row per bid. name_form, code_form, is_wrong_unit: how it was written; sent_on: the night on which it came. role: of a ring's seat.
WITH first AS (
    SELECT min(day) AS day FROM delivery.calendar
),
early AS (
    SELECT p.lot, p.firm, max(c.night) AS night
    FROM dirt.picks AS p, delivery.calendar AS c
    WHERE p.kind = 'early'
    GROUP BY ALL
)
SELECT l.lot_id, f.code AS bidder_code, p.code AS partner_code, cny(b.price_fen) AS price_cny,
       cny(b.cost_fen) AS cost_cny, nullif(b.ring, -1) AS ring, nullif(b.role, 'honest') AS role, b.submitted_at,
       yes_no(b.firm = l.winner) AS is_winner, b.name_form, CASE l.channel WHEN 'sheet' THEN 3 ELSE b.code_form END AS code_form,
       yes_no(b.is_wrong_unit AND NOT l.is_by_rate AND l.channel <> 'sheet') AS is_wrong_unit,
       coalesce(c.night, e.night) AS sent_on
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
LEFT JOIN world.firms AS p ON p.firm = b.partner
LEFT JOIN delivery.calendar AS c ON c.stream = stream_of(l.channel)
    AND c.day = greatest(sent_on(bids_known_at(l.opening_at)), (SELECT day FROM first))
LEFT JOIN early AS e ON e.lot = b.lot AND e.firm = b.firm
ORDER BY b.lot, b.firm
