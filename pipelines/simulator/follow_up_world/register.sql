-- What registers say of firms: addresses, e-mail, certificates; and through whom a firm bids and pays for guarantees.
CREATE TABLE follow_up.registered AS
WITH firms AS (
    -- A firm has its own address, or that of its owner, or of the banned firm that it comes after.
    SELECT f.*, regexp_extract(f.name, '^(.*?)样例', 1) AS region_name,
           f.owner >= 0 AND luck('at its owner''s', f.firm, 0) < 0.4
               AND f.firm NOT IN (SELECT unnest(members) FROM world.rings) AS is_at_owners,
           luck('office', f.firm, 0) AS office
    FROM world.firms AS f
),
-- A registration agent's hall, of which each county has two; houses of two or three firms without room numbers.
placed AS (
    SELECT *, CASE WHEN NOT is_local OR is_at_owners THEN 'own' WHEN office < 0.05 THEN 'tower' WHEN office < 0.065 THEN 'house'
                   ELSE 'own' END AS kind
    FROM firms
),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY market, kind ORDER BY firm) AS place FROM placed
),
own AS (
    SELECT *, CASE kind
        WHEN 'tower' THEN street(region_name, '创业大道', 1 + firm % 2)
        WHEN 'house' THEN street(region_name, '楼路', market * 100 + place // 3)
        ELSE street(region_name, '街', 1 + firm // 300) || (101 + firm % 300) || '室' END AS address
    FROM numbered
),
ringed AS (
    SELECT unnest(r.members) AS firm, min(r.ring) AS ring
    FROM world.rings AS r JOIN follow_up.habits AS h ON h.ring = r.ring AND h.what = 'same_address'
    GROUP BY 1
)
SELECT o.firm, g.ring,
    CASE WHEN g.ring IS NOT NULL THEN street('', '巷', 10000 + g.ring) || '101室'
         WHEN d.firm IS NOT NULL THEN d.address
         WHEN o.is_at_owners THEN w.address ELSE o.address END AS address,
    CASE WHEN luck('no mail', o.firm, 0) < 0.3 THEN NULL
         WHEN o.is_at_owners THEN mail('office' || o.owner) ELSE mail('office' || o.firm) END AS mail,
    CASE WHEN luck('bidding service', o.firm, 0) < 0.04 THEN mail('service' || o.region_code || '_' || o.firm % 2)
         ELSE mail('team' || o.firm) END AS team_mail,
    -- A salesman's account, 2^32 + his number; a county has two of them.
    CASE WHEN luck('salesman', o.firm, 0) < 0.05 THEN (CAST(1 AS BIGINT) << 32) + CAST(o.region_code AS BIGINT) * 2 + o.firm % 2
         ELSE o.firm END AS payer
FROM own AS o
LEFT JOIN own AS w ON w.firm = o.owner
LEFT JOIN ringed AS g ON g.firm = o.firm
LEFT JOIN follow_up.successors AS s ON s.firm = o.firm
LEFT JOIN own AS d ON d.firm = s.banned
ORDER BY o.firm;

-- Every lot in which two firms with one registered address meet.
INSERT INTO world.links
SELECT b.lot, CASE WHEN r.ring IS NULL THEN 'office_tower' ELSE 'same_address' END, coalesce(any_value(r.ring), -1),
       list(b.firm ORDER BY b.firm), r.ring IS NULL,
       CASE WHEN r.ring IS NULL THEN 'registered in one house, or at one agent''s' ELSE 'members registered in one room' END
FROM world.bids AS b
JOIN follow_up.registered AS r ON r.firm = b.firm
GROUP BY b.lot, r.address, r.ring HAVING count(*) > 1
ORDER BY b.lot, r.address;

-- A certificate of a works firm, renewed once in the years that matter; some renewals come late, and some
-- certificates still stand under the firm from which they were taken over.
CREATE TABLE follow_up.certificates AS
WITH firms AS (
    SELECT firm, owner, level, segment,
           DATE '2021-07-01' + CAST(floor(1800 * luck('renewal', firm, 0)) AS INTEGER) AS renewed_on,
           CASE WHEN luck('late renewal', firm, 0) < 0.015 THEN luck_between('days late', firm, 0, 20, 90) ELSE 0 END AS days_late,
           owner >= 0 AND luck('taken over', firm, 0) < 0.03 AS is_taken_over
    FROM world.firms
    WHERE segment IN ('building', 'municipal', 'road', 'water', 'landscape')
)
SELECT firm, CASE WHEN is_taken_over THEN owner ELSE firm END AS holder, is_taken_over,
       'YLZ' || lpad(CAST(firm AS VARCHAR), 9, '0') AS certificate_no,
       CASE segment WHEN 'building' THEN '建筑工程' WHEN 'municipal' THEN '市政公用工程' WHEN 'road' THEN '公路工程'
                    WHEN 'water' THEN '水利水电工程' ELSE '园林绿化工程' END || '施工总承包' AS kind,
       level, renewed_on - 1826 AS starts_on, renewed_on - 1 AS ends_on
FROM firms
UNION ALL
SELECT firm, CASE WHEN is_taken_over THEN owner ELSE firm END, is_taken_over,
       'YLZ' || lpad(CAST(firm AS VARCHAR), 9, '0'),
       CASE segment WHEN 'building' THEN '建筑工程' WHEN 'municipal' THEN '市政公用工程' WHEN 'road' THEN '公路工程'
                    WHEN 'water' THEN '水利水电工程' ELSE '园林绿化工程' END || '施工总承包',
       level, renewed_on + days_late, renewed_on + 1825
FROM firms
ORDER BY firm, starts_on;
