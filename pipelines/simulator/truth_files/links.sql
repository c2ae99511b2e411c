-- One row per trace that a ring left in a lot, or look-alike put into it.
WITH numbered AS (
    SELECT *, row_number() OVER (ORDER BY lot, what, ring, firms, note) AS link FROM world.links
),
parties AS (
    SELECT n.link, string_agg(f.code, ';' ORDER BY n.place) AS codes
    FROM (SELECT link, unnest(firms) AS firm, generate_subscripts(firms, 1) AS place FROM numbered) AS n
    JOIN world.firms AS f ON f.firm = n.firm
    GROUP BY n.link
)
SELECT l.lot_id, n.what, p.codes AS parties, nullif(n.ring, -1) AS ring, yes_no(n.is_innocent) AS innocent, n.note
FROM numbered AS n
JOIN world.lots AS l ON l.lot = n.lot
LEFT JOIN parties AS p ON p.link = n.link
ORDER BY n.link
