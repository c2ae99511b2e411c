-- Some works are tendered twice: the first round was opened, and then failed for a matter of the buyer's own, such
-- as a complaint about the committee. The lot that is there becomes the second round; the first one, six weeks
-- before it, is added. Honest firms price anew; a ring that keeps to its plan keeps its order.
CREATE TABLE follow_up.rounds AS
WITH fit AS (
    SELECT l.lot, any_value(l.tender_id) AS tender_id, any_value(l.lot_id) AS lot_id
    FROM world.lots AS l
    JOIN world.bids AS b ON b.lot = l.lot
    WHERE l.status = 'awarded' AND l.attempt = 1 AND l.class_code = 'A08' AND l.is_electronic AND NOT l.is_by_rate
      AND l.channel <> 'sheet' AND l.first_opening_at IS NULL
      AND l.opening_at > (SELECT min(opening_at) FROM world.lots WHERE is_electronic) + INTERVAL 60 DAYS
    GROUP BY l.lot
    HAVING count(*) BETWEEN 5 AND 60 AND luck('tendered again', l.lot, 0) < 0.08
)
SELECT lot AS second, (SELECT max(lot) FROM world.lots) + row_number() OVER (ORDER BY lot) AS first
FROM fit;

INSERT INTO world.lots BY NAME
SELECT l.* REPLACE (
    CAST(r.first AS INTEGER) AS lot,
    left(l.deal_code, len(l.deal_code) - 8) || lpad(CAST(r.first % 1000000 AS VARCHAR), 6, '0') || '-0' AS deal_code,
    l.published_at - INTERVAL 42 DAYS AS published_at, l.document_at - INTERVAL 42 DAYS AS document_at,
    l.opening_at - INTERVAL 42 DAYS AS opening_at, 'failed' AS status, NULL AS draws, NULL AS balls,
    NULL AS benchmark_fen, NULL AS shown_at, NULL AS signed_at, -1 AS winner, 0 AS winner_fen, 0 AS contract_fen,
    -1 AS subcontractor, 0 AS subcontract_fen, NULL AS subcontracted_at
)
FROM follow_up.rounds AS r
JOIN world.lots AS l ON l.lot = r.second
ORDER BY r.first;

-- Second rounds are numbered from 101 on (market._tendered_again). Three weeks of notice are not needed for a known lot.
UPDATE world.lots SET
    attempt = 2, is_first_of_tender = FALSE,
    lot_id = left(lot_id, len(lot_id) - 3) || lpad(CAST(CAST(right(lot_id, 3) AS INTEGER) + 100 AS VARCHAR), 3, '0')
WHERE lot IN (SELECT second FROM follow_up.rounds);

-- A ring prices its seats by one plan: all move alike. Prices keep the ends that their firms like.
INSERT INTO world.bids BY NAME
WITH agreed AS (
    SELECT lot, firm FROM follow_up.seats
),
moved AS (
    SELECT b.*, r.first, l.ceiling_fen,
        b.price_fen * exp(
            0.01 * luck('all ask more', r.first, 0)
            + CASE WHEN a.firm IS NULL THEN 0.015 ELSE 0.0004 END * normal_luck('asks again', r.first, b.firm)
        ) AS asked_fen,
        CASE WHEN b.price_fen % 1000000 = 0 THEN 1000000 WHEN b.price_fen % 10000 = 0 THEN 10000
             WHEN b.price_fen % 100 = 0 THEN 100 ELSE 1 END AS step_fen
    FROM follow_up.rounds AS r
    JOIN world.lots AS l ON l.lot = r.second
    JOIN world.bids AS b ON b.lot = r.second
    LEFT JOIN agreed AS a ON a.lot = b.lot AND a.firm = b.firm
)
SELECT * EXCLUDE (first, ceiling_fen, asked_fen, step_fen) REPLACE (
    CAST(first AS INTEGER) AS lot,
    CAST(floor(least(asked_fen, ceiling_fen) / step_fen) * step_fen AS BIGINT) AS price_fen,
    submitted_at - INTERVAL 42 DAYS AS submitted_at, purchased_at - INTERVAL 42 DAYS AS purchased_at,
    deposited_at - INTERVAL 42 DAYS AS deposited_at,
    -- A ring's shared file stays what it is.
    CASE WHEN file_id < (CAST(1 AS BIGINT) << 40) THEN first * 4096 + file_id % 4096 ELSE file_id END AS file_id,
    NULL AS price_score, NULL AS other_score, NULL AS score, NULL AS rank, NULL AS veto
)
FROM moved
ORDER BY first, firm;

-- What stands behind the bids stands behind both rounds.
INSERT INTO world.rigged
SELECT r.first, g.ring, g.tactic, g.care, g.designated, g.is_forgone, 0
FROM follow_up.rounds AS r JOIN world.rigged AS g ON g.lot = r.second
ORDER BY r.first;

INSERT INTO world.links
SELECT r.first, k.what, k.ring, k.firms, k.is_innocent, k.note
FROM follow_up.rounds AS r JOIN world.links AS k ON k.lot = r.second
WHERE k.what NOT LIKE 'ban%' AND k.what <> 'one_time_bidders'
ORDER BY r.first, k.what;

-- A ban that ran on the day of the second opening need not have run on that of the first, and the other way round.
INSERT INTO world.links
SELECT b.lot, 'ban', -1, list(b.firm ORDER BY b.firm), FALSE, 'bid during a ban'
FROM follow_up.rounds AS r
JOIN world.lots AS l ON l.lot = r.first
JOIN (SELECT lot, firm FROM world.bids UNION ALL SELECT lot, partner FROM world.bids WHERE partner >= 0) AS b ON b.lot = r.first
JOIN world.bans AS n ON n.firm = b.firm AND CAST(l.opening_at AS DATE) BETWEEN n.starts_on AND n.ends_on
    AND CAST(l.opening_at AS DATE) < coalesce(CAST(n.withdrawn_at AS DATE), DATE '9999-01-01')
GROUP BY b.lot
ORDER BY b.lot;

INSERT INTO world.links
SELECT b.lot, 're_tender', -1, list(b.firm ORDER BY b.firm), TRUE, 'the lot was tendered again'
FROM follow_up.rounds AS r JOIN world.bids AS b ON b.lot = r.second
WHERE b.ring < 0
GROUP BY b.lot HAVING count(*) > 1
ORDER BY b.lot;

INSERT INTO world.links
SELECT s.lot, 'same_order', s.ring, list(s.firm ORDER BY s.firm), FALSE, 'the seats kept their order in both rounds'
FROM follow_up.rounds AS r JOIN follow_up.seats AS s ON s.lot = r.second
GROUP BY s.lot, s.ring HAVING count(*) > 1
ORDER BY s.lot;
