-- Notices: when a tender was published, as the centre has it; short windows of buyers who want one bidder.

-- Tenders whose buyer leaves strangers no time. A tender that was moved, or tendered again, is left as it is.
CREATE TABLE follow_up.short_tenders AS
SELECT l.tender_id, min(s.ring) AS ring, 9 + CAST(floor(9 * luck('days of the window', min(l.lot), 0)) AS INTEGER) AS days
FROM world.lots AS l
LEFT JOIN follow_up.seats AS s ON s.lot = l.lot AND s.firm = s.designated AND s.tactic = 'vertical'
WHERE l.regime = 'construction'
GROUP BY l.tender_id
HAVING count(s.lot) > 0 AND max(l.attempt) = 1 AND count(l.first_opening_at) = 0
   AND luck('short window', min(l.lot), 0) < min(s.leak_share);

UPDATE world.lots AS l SET
    published_at = CAST(CAST(l.opening_at AS DATE) - t.days AS TIMESTAMP) + INTERVAL 17 HOURS,
    document_at = CAST(CAST(l.opening_at AS DATE) - t.days AS TIMESTAMP) + INTERVAL 18 HOURS
FROM follow_up.short_tenders AS t
WHERE t.tender_id = l.tender_id;

-- Nobody buys the documents before they are there; nobody pays a deposit or uploads a bid before buying them.
UPDATE world.bids AS b SET
    purchased_at = l.document_at + to_seconds(CAST(floor(20 * 3600 * luck('buys in haste', b.lot, b.firm)) AS BIGINT))
FROM world.lots AS l
WHERE l.lot = b.lot AND l.tender_id IN (SELECT tender_id FROM follow_up.short_tenders) AND b.purchased_at < l.document_at;

UPDATE world.bids AS b SET
    deposited_at = greatest(b.deposited_at, b.purchased_at + INTERVAL 1 HOUR),
    submitted_at = greatest(b.submitted_at, b.purchased_at + INTERVAL 2 HOURS)
FROM world.lots AS l
WHERE l.lot = b.lot AND l.tender_id IN (SELECT tender_id FROM follow_up.short_tenders);

INSERT INTO world.links
SELECT l.lot, 'short_window', t.ring, [s.designated], FALSE, 'too few days from the notice to the deadline'
FROM follow_up.short_tenders AS t
JOIN world.lots AS l ON l.tender_id = t.tender_id
JOIN (SELECT DISTINCT lot, ring, designated FROM follow_up.seats) AS s ON s.lot = l.lot AND s.ring = t.ring
ORDER BY l.lot;

-- The day of the notice; of some tenders the day of a corrected notice is kept in its place.
CREATE TABLE follow_up.notices AS
SELECT lot, tender_id, CAST(published_at AS DATE) + CASE WHEN is_corrected THEN days ELSE 0 END AS published_on, is_corrected
FROM (
    SELECT lot, tender_id, published_at, luck('corrected notice', lot, 0) < 0.004 AS is_corrected,
           luck_between('days to the correction', lot, 0, 3, 12) AS days
    FROM world.lots
    WHERE is_first_of_tender AND regime = 'construction'
);

INSERT INTO world.links
SELECT l.lot, 'corrected_notice', -1, list(b.firm ORDER BY b.firm), TRUE, 'the day is that of a corrected notice'
FROM follow_up.notices AS n
JOIN world.lots AS l ON l.tender_id = n.tender_id
JOIN world.bids AS b ON b.lot = l.lot
WHERE n.is_corrected
GROUP BY l.lot
ORDER BY l.lot;
