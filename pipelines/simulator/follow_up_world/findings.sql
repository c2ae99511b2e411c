-- Findings beside the bans: of other regions, of other matters, entered twice; and firms that come after a ban.
CREATE TABLE follow_up.findings AS
WITH regions AS (
    SELECT list(DISTINCT region_code ORDER BY region_code) AS codes FROM world.firms
),
picked AS (
    SELECT n.ban, n.firm, n.decision_no AS ban_decision, n.starts_on, f.region_code AS home, luck('other finding', n.firm, 0) AS kind,
           r.codes[1 + CAST(floor(len(r.codes) * luck('other region', n.firm, 0)) AS INTEGER)] AS other
    FROM world.bans AS n
    JOIN world.firms AS f ON f.firm = n.firm
    CROSS JOIN regions AS r
),
told AS (
    SELECT *, CASE WHEN kind < 0.35 AND other <> home THEN 'elsewhere' WHEN kind < 0.6 THEN 'other_matter'
                   WHEN kind < 0.8 AND home NOT LIKE '__90__' THEN 'entered_again' END AS what
    FROM picked
)
SELECT ban, firm, what,
       CASE what WHEN 'entered_again' THEN ban_decision ELSE '样处〔' || firm || '〕1号' END AS decision_no,
       CASE what WHEN 'other_matter' THEN '样例：工程逾期' ELSE '样例：串通投标' END AS reason,
       CASE what WHEN 'entered_again' THEN left(home, 4) || '00' ELSE other END AS region_code,
       CASE what WHEN 'entered_again' THEN starts_on ELSE starts_on + luck_between('days between', firm, 0, -700, 250) END AS found_on
FROM told
WHERE what IS NOT NULL
ORDER BY ban;

-- A firm with findings of two regions within three years is truly so without any ring.
INSERT INTO world.links
SELECT b.lot, 'findings_elsewhere', -1, list(b.firm ORDER BY b.firm), FALSE, 'findings of two regions within three years'
FROM (SELECT lot, firm FROM world.bids UNION ALL SELECT lot, partner FROM world.bids WHERE partner >= 0) AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.bans AS n ON n.firm = b.firm
JOIN follow_up.findings AS e ON e.firm = b.firm AND e.what = 'elsewhere'
WHERE greatest(n.starts_on, e.found_on) <= CAST(l.opening_at AS DATE)
  AND least(n.starts_on, e.found_on) >= CAST(l.opening_at AS DATE) - INTERVAL 3 YEARS
  AND (n.withdrawn_at IS NULL OR CAST(l.opening_at AS DATE) < CAST(n.withdrawn_at AS DATE))
GROUP BY b.lot
ORDER BY b.lot;

-- One ban in four has a successor: a firm of the market that had never bid before, with the banned one's head and door.
CREATE TABLE follow_up.successors AS
WITH came AS (
    SELECT b.firm, CAST(min(l.opening_at) AS DATE) AS first_on
    FROM (SELECT lot, firm FROM world.bids UNION ALL SELECT lot, partner FROM world.bids WHERE partner >= 0) AS b
    JOIN world.lots AS l ON l.lot = b.lot
    GROUP BY b.firm
)
SELECT n.ban, n.firm AS banned, f.firm,
       n.starts_on + luck_between('days to the new firm', n.firm, 0, 5, 40) AS registered_on
FROM world.bans AS n
JOIN world.firms AS o ON o.firm = n.firm
JOIN world.firms AS f ON f.market = o.market AND f.is_local AND f.owner < 0 AND f.former_name IS NULL AND f.firm <> n.firm
JOIN came AS c ON c.firm = f.firm AND c.first_on BETWEEN n.starts_on + 60 AND n.starts_on + 300
WHERE luck('successor', n.firm, 0) < 0.25
  AND f.firm NOT IN (SELECT unnest(members) FROM world.rings) AND f.firm NOT IN (SELECT owner FROM world.firms)
  AND f.firm NOT IN (SELECT firm FROM world.bans)
QUALIFY row_number() OVER (PARTITION BY n.firm ORDER BY f.firm) = 1 AND row_number() OVER (PARTITION BY f.firm ORDER BY n.firm) = 1;

UPDATE world.firms AS f SET registered_on = s.registered_on, head = o.head
FROM follow_up.successors AS s JOIN world.firms AS o ON o.firm = s.banned
WHERE f.firm = s.firm;

INSERT INTO world.links
SELECT b.lot, 'successor', -1, list(DISTINCT x.firm ORDER BY x.firm), FALSE, 'registered after the ban on a firm with the same head and address'
FROM follow_up.successors AS s
JOIN world.bids AS b ON b.firm = s.firm OR b.partner = s.firm
JOIN world.bids AS x ON x.lot = b.lot AND x.firm IN (s.firm, s.banned, b.firm)
GROUP BY b.lot
ORDER BY b.lot;
