-- Committees and what each expert gave. Person numbers of experts: 15,000,000 + 60 x county + place (population.py).
-- The trades that few experts know have ten each, so that the same few meet the same bidders again and again.
CREATE TABLE follow_up.specialists AS
SELECT segment, 10 * place AS first_place
FROM (VALUES ('network', 1), ('design', 2), ('supervision', 3), ('goods', 4), ('services', 5)) AS t (segment, place);

-- Steps prime to ten: nobody sits twice on a committee.
UPDATE world.experts AS e SET
    expert = 15000000 + (e.expert - 15000000) // 60 * 60 + s.first_place
        + (CAST(floor(10 * luck('first expert', e.lot, 0)) AS INTEGER)
           + e.seat * [1, 3, 7, 9][1 + CAST(floor(4 * luck('next expert', e.lot, 0)) AS INTEGER)]) % 10
FROM world.lots AS l
JOIN follow_up.specialists AS s ON s.segment = l.segment
WHERE l.lot = e.lot;

-- A buyer's friend: the same expert of the ring's trade, in the second seat, where points are given.
CREATE TABLE follow_up.friends AS
WITH tailored AS (
    SELECT DISTINCT lot, ring, designated, leak_share FROM follow_up.seats WHERE tactic = 'vertical' AND designated >= 0
)
SELECT e.lot, t.ring, t.designated AS firm, e.seat,
       15000000 + (e.expert - 15000000) // 60 * 60 + coalesce(s.first_place + t.ring % 10, t.ring % 60) AS expert
FROM tailored AS t
JOIN world.experts AS e ON e.lot = t.lot AND e.seat = 2
JOIN world.lots AS l ON l.lot = t.lot AND l.rule IN ('comprehensive', 'price_share')
JOIN world.bids AS b ON b.lot = t.lot AND b.firm = t.designated AND b.other_score IS NOT NULL
LEFT JOIN follow_up.specialists AS s ON s.segment = l.segment
WHERE luck('kind expert', t.lot, t.ring) < t.leak_share;

UPDATE world.experts AS e SET expert = f.expert
FROM follow_up.friends AS f
WHERE f.lot = e.lot AND f.seat = e.seat
  AND NOT EXISTS (SELECT 1 FROM world.experts AS o WHERE o.lot = f.lot AND o.expert = f.expert);

INSERT INTO world.links
SELECT lot, 'kind_expert', ring, [firm], FALSE, 'one expert places the bidder above the others' FROM follow_up.friends ORDER BY lot;

-- Points, where they weigh more than a drawn benchmark. An expert scores what the bid is worth, strictly or kindly, far
-- apart or close together, and not quite steadily. A few experts like what one firm does; that is no friendship. What a friend gives more stands in the committee's points,
-- so the others gave less.
CREATE TABLE follow_up.expert_scores AS
WITH hands AS (
    SELECT expert, 0.03 * normal_luck('strict or kind', expert, 0) AS above, exp(0.25 * normal_luck('wide hand', expert, 0)) AS width
    FROM (SELECT DISTINCT expert FROM world.experts)
),
rated AS (
    SELECT b.lot, b.firm, b.other_score, avg(b.other_score) OVER (PARTITION BY b.lot) AS middle,
           max(b.other_score) OVER (PARTITION BY l.rule) AS most
    FROM world.bids AS b
    JOIN world.lots AS l ON l.lot = b.lot
    WHERE b.other_score IS NOT NULL AND l.rule IN ('comprehensive', 'price_share')
      AND l.is_electronic AND l.shown_at IS NOT NULL AND l.channel <> 'sheet'
),
tasted AS (
    SELECT r.*, e.expert, e.seat, h.above, h.width, luck('taste', e.expert, r.firm) < 0.01 AS is_to_taste,
           coalesce(f.expert = e.expert, FALSE) AS is_friend, f.lot IS NOT NULL AS has_friend,
           normal_luck('mood', r.lot * 100 + e.seat, r.firm) AS mood
    FROM rated AS r
    JOIN world.experts AS e ON e.lot = r.lot
    JOIN hands AS h ON h.expert = e.expert
    LEFT JOIN follow_up.friends AS f ON f.lot = r.lot AND f.firm = r.firm
)
SELECT lot, expert, firm, is_to_taste,
       CAST(greatest(0, least(most,
           middle + width * (other_score - middle)
           + most * (above + 0.012 * mood + CASE WHEN is_to_taste THEN 0.012 ELSE 0 END
                   + CASE WHEN is_friend THEN 0.04 WHEN has_friend THEN -0.02 ELSE 0 END)
       )) AS DECIMAL(9, 1)) AS points
FROM tasted
ORDER BY lot, seat, firm;

INSERT INTO world.links
SELECT lot, 'expert_taste', -1, list(DISTINCT firm ORDER BY firm), TRUE, 'an expert values what this bidder does well'
FROM follow_up.expert_scores WHERE is_to_taste
GROUP BY lot ORDER BY lot;
