-- No bidder is shown before the opening (招标投标法 §22).
-- zh: 开标前不出现任何投标人信息
SELECT count(*) AS violations
FROM stage.bids AS b
LEFT JOIN stage.openings AS o ON o.lot_id = b.lot_id
WHERE NOT b.is_public AND (o.public_at IS NULL OR o.public_at >= (SELECT cutoff FROM stage.night));
