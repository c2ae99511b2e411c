-- core.awards: one row per winner of a lot. Key: lot_id, winner_id. price in `currency`: of all awards to this winner.
-- An award that was cancelled or came to nothing has no winner, nor has any award of a lot or tender that was.
-- A rate or a unit price is no amount: where any of them is one, price is empty. price_form: of the first award.
-- bid_refs: numbers of the bids that the awards name, joined by ';'. raw_*: of the first award.
CREATE TABLE core.awards AS
WITH standing AS (
    SELECT a.*, p.party_id AS winner_id,
           row_number() OVER (
               PARTITION BY a.lot_id, p.party_id ORDER BY a.award_ref, a.raw_sha, a.raw_section, a.raw_row
           ) AS place
    FROM stage.awards AS a
    JOIN stage.party_links AS p ON p.party = a.winner
    LEFT JOIN stage.lots AS l ON l.lot_id = a.lot_id
    LEFT JOIN stage.tenders AS t ON t.tender_id = l.tender_id
    WHERE coalesce(a.status, 'active') NOT IN ('cancelled', 'unsuccessful')
      AND coalesce(l.status, 'active') NOT IN ('cancelled', 'unsuccessful')
      AND coalesce(t.status, 'active') NOT IN ('cancelled', 'unsuccessful')
),
totals AS (
    SELECT lot_id, winner_id, string_agg(bid_refs, ';' ORDER BY award_ref) AS bid_refs,
           CASE WHEN count(DISTINCT currency) < 2 AND bool_and(coalesce(price_form, 'amount') = 'amount')
                THEN CAST(sum(price) AS DECIMAL(20, 6)) END AS price,
           max(awarded_on) AS awarded_on
    FROM standing
    GROUP BY lot_id, winner_id
)
SELECT s.lot_id, s.winner_id, s.winner_name, t.bid_refs, t.price, s.currency,
       CASE WHEN s.currency = 'CNY' THEN t.price END AS price_cny,
       coalesce(s.price_form, 'amount') AS price_form,
       t.awarded_on, s.project_lead, s.project_lead_id, s.raw_sha, s.raw_section, s.raw_row
FROM standing AS s
JOIN totals AS t ON t.lot_id = s.lot_id AND t.winner_id = s.winner_id
WHERE s.place = 1
ORDER BY s.lot_id, s.winner_id;
