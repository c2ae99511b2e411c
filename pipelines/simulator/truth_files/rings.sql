-- One row per ring.
WITH members AS (
    SELECT r.ring, string_agg(f.code, ';' ORDER BY r.place) AS codes
    FROM (SELECT ring, unnest(members) AS firm, generate_subscripts(members, 1) AS place FROM world.rings) AS r
    JOIN world.firms AS f ON f.firm = r.firm
    GROUP BY r.ring
),
played AS (
    SELECT ring, count(*) FILTER (WHERE NOT is_forgone) AS lots_rigged,
           count(*) FILTER (WHERE is_forgone) AS lots_forgone, sum(price_given_up_fen) AS price_given_up_fen
    FROM world.rigged
    GROUP BY ring
)
SELECT r.ring, r.tactic, r.care, m.codes AS members, y.code AS buyer, a.code AS agency, r.started_on, r.ended_on,
       array_to_string(r.evidence, ';') AS evidence, coalesce(p.lots_rigged, 0) AS lots_rigged,
       coalesce(p.lots_forgone, 0) AS lots_forgone,
       cny(coalesce(p.price_given_up_fen, 0)) AS price_given_up_cny
FROM world.rings AS r
LEFT JOIN members AS m ON m.ring = r.ring
LEFT JOIN world.buyers AS y ON y.buyer = r.buyer
LEFT JOIN world.agencies AS a ON a.agency = r.agency
LEFT JOIN played AS p ON p.ring = r.ring
ORDER BY r.ring
