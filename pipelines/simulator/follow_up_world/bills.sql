-- Priced bills of quantities of the latest works lots, half of them rigged if there are enough: the centre has
-- begun to keep them. A bill has forty to sixty items; every tenth price is published for all. Each firm prices for
-- itself; two that asked one consultant have his prices for materials. A careless ring makes one bill from another.
CREATE TABLE follow_up.bills AS
WITH fit AS (
    SELECT l.lot, bool_or(b.ring >= 0) AS is_rigged
    FROM world.lots AS l JOIN world.bids AS b ON b.lot = l.lot
    WHERE l.has_traces AND l.class_code = 'A08' AND l.channel <> 'sheet' AND l.opening_at < CAST(getvariable('until') AS TIMESTAMP)
    GROUP BY l.lot
    HAVING count(*) BETWEEN 3 AND 40
)
SELECT lot, 40 + CAST(floor(21 * luck('items', lot, 0)) AS INTEGER) AS items
FROM (SELECT lot, is_rigged, row_number() OVER (PARTITION BY is_rigged ORDER BY lot DESC) AS place FROM fit)
ORDER BY place, is_rigged DESC
LIMIT 600;

CREATE TABLE follow_up.prices AS
WITH lists AS (
    SELECT w.lot, w.items, b.firm, k.ring, coalesce(m.firm, b.firm) AS priced_by,
           CASE WHEN m.firm IS NULL OR m.firm = b.firm THEN 1 ELSE 1.005 + 0.05 * luck('step between bills', w.lot, b.firm) END AS ratio,
           coalesce(p.price_fen, b.price_fen) / l.ceiling_fen AS level,
           a.firm IS NOT NULL AS has_consultant
    FROM follow_up.bills AS w
    JOIN world.lots AS l ON l.lot = w.lot
    JOIN world.bids AS b ON b.lot = w.lot
    LEFT JOIN follow_up.leaks AS k ON k.lot = b.lot AND k.firm = b.firm AND k.what = 'copied_bill'
    LEFT JOIN (SELECT lot, ring, min(firm) AS firm FROM follow_up.leaks WHERE what = 'copied_bill' GROUP BY ALL) AS m
        ON m.lot = k.lot AND m.ring = k.ring
    LEFT JOIN world.bids AS p ON p.lot = b.lot AND p.firm = m.firm
    LEFT JOIN (SELECT lot, unnest(firms) AS firm FROM world.links WHERE what = 'consultant_dongle') AS a
        ON a.lot = b.lot AND a.firm = b.firm
),
costs AS (
    SELECT w.lot, i.item, luck('published', w.lot, i.item) < 0.1 AS is_published, luck('material', w.lot, i.item) < 0.35 AS is_material,
           round(exp(4.4 + 1.2 * normal_luck('what it costs', w.lot, i.item)), 2) AS base
    FROM follow_up.bills AS w
    CROSS JOIN generate_series(1, 60) AS i (item)
    WHERE i.item <= w.items
),
items AS (
    SELECT x.*, c.item, c.is_published, x.has_consultant AND c.is_material AS is_consultants, c.base
    FROM lists AS x JOIN costs AS c ON c.lot = x.lot
),
priced AS (
    SELECT *, CASE WHEN is_published OR is_consultants THEN base
                   ELSE round(base * level * exp(0.09 * normal_luck('its own price', lot * 100 + item, priced_by)), 2)
                        * CASE WHEN luck('touched up', lot * 100 + item, firm) < 0.05 THEN 1.03 ELSE ratio END END AS price
    FROM items
)
SELECT lot, firm, ring, priced_by, ratio, item, is_published, CAST(greatest(price, 0.01) AS DECIMAL(18, 2)) AS unit_price
FROM priced
ORDER BY lot, firm, item;

INSERT INTO world.links
SELECT lot, 'copied_bill', ring, list(DISTINCT firm ORDER BY firm), FALSE, 'one bill of quantities was made from another'
FROM follow_up.prices WHERE ring IS NOT NULL
GROUP BY lot, ring ORDER BY lot, ring;
