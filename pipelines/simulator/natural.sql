-- Look-alikes that came by themselves, and bids during a ban: found once the whole county is written.

-- The same few firms always meet: there are no more in that market.
INSERT INTO world.links
SELECT b.lot, 'niche_market', -1, list(b.firm ORDER BY b.firm), TRUE, 'a market of five firms'
FROM world.bids AS b JOIN world.lots AS l USING (lot)
WHERE l.segment = 'network'
GROUP BY b.lot HAVING count(*) > 1
ORDER BY b.lot;

-- The same firms again, because the lot failed and was tendered again.
INSERT INTO world.links
SELECT b.lot, 're_tender', -1, list(b.firm ORDER BY b.firm), TRUE, 'the lot was tendered again'
FROM world.bids AS b JOIN world.lots AS l USING (lot)
WHERE l.attempt > 1 AND b.ring < 0
GROUP BY b.lot HAVING count(*) > 1
ORDER BY b.lot;

-- Affiliates that bid for different lots of one tender, as the law allows.
INSERT INTO world.links
SELECT one.lot, 'affiliates', -1, list_sort(list_distinct(flatten(list([one.firm, other.firm])))), TRUE,
    'affiliates bid for different lots of one tender'
FROM world.bids AS one
JOIN world.lots AS l1 ON l1.lot = one.lot
JOIN world.lots AS l2 ON l2.tender_id = l1.tender_id AND l2.lot <> l1.lot AND l2.attempt = l1.attempt
JOIN world.bids AS other ON other.lot = l2.lot
JOIN world.firms AS f1 ON f1.firm = one.firm
JOIN world.firms AS f2 ON f2.firm = other.firm
WHERE one.firm <> other.firm AND one.ring < 0 AND other.ring < 0
  AND CASE WHEN f1.owner >= 0 THEN f1.owner ELSE f1.firm END = CASE WHEN f2.owner >= 0 THEN f2.owner ELSE f2.firm END
GROUP BY one.lot
ORDER BY one.lot;

-- Firms that bid only once: strangers, not straw men.
INSERT INTO world.links
SELECT b.lot, 'one_time_bidders', -1, list(b.firm ORDER BY b.firm), TRUE, 'firms that bid once'
FROM world.bids AS b
JOIN (SELECT firm FROM world.bids GROUP BY firm HAVING count(*) = 1) AS once ON once.firm = b.firm
WHERE b.ring < 0
GROUP BY b.lot HAVING count(*) > 1
ORDER BY b.lot;

-- A partner of a joint venture shares its leader's computers.
INSERT INTO world.links
SELECT b.lot, 'joint_venture', -1, list_sort(flatten(list([b.firm, b.partner]))), TRUE,
    'partners of one joint bid use one computer'
FROM world.bids AS b
WHERE b.partner >= 0 AND NOT EXISTS (SELECT 1 FROM world.links AS k WHERE k.lot = b.lot AND k.what = 'joint_venture')
GROUP BY b.lot
ORDER BY b.lot;

-- A bid, also as a partner, during a ban is none of these; a bid just after it ended, or was withdrawn, is innocent.
INSERT INTO world.links
SELECT b.lot, what, -1, list(b.firm ORDER BY b.firm), what <> 'ban',
    any_value(CASE what WHEN 'ban' THEN 'bid during a ban' WHEN 'ban_ended' THEN 'the ban had ended' ELSE 'the ban had been withdrawn' END)
FROM (
    SELECT b.lot, b.firm,
        CASE
            WHEN CAST(l.opening_at AS DATE) BETWEEN n.starts_on AND n.ends_on
                THEN CASE WHEN CAST(l.opening_at AS DATE) < coalesce(CAST(n.withdrawn_at AS DATE), DATE '9999-01-01') THEN 'ban' ELSE 'ban_withdrawn' END
            WHEN CAST(l.opening_at AS DATE) - n.ends_on BETWEEN 1 AND 60 THEN 'ban_ended'
        END AS what
    FROM (
        SELECT lot, firm FROM world.bids UNION ALL SELECT lot, partner FROM world.bids WHERE partner >= 0
    ) AS b
    JOIN world.lots AS l ON l.lot = b.lot
    JOIN world.bans AS n ON n.firm = b.firm
) AS b
WHERE what IS NOT NULL
GROUP BY b.lot, what
ORDER BY b.lot, what;
