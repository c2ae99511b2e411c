-- core.priced_items: one row per item of a bidder's priced bill of quantities. Key: lot_id, bidder_id, item_code.
-- unit_price: for one `unit`, in `currency`; NULL where the item was not priced.
-- is_published_price: the price was given to all bidders (provisional or prescribed), not set by them.
CREATE TABLE core.priced_items AS
SELECT i.lot_id, p.party_id AS bidder_id, i.item_code, i.unit, i.unit_price, i.currency,
       coalesce(i.is_published_price, FALSE) AS is_published_price, i.raw_sha, i.raw_section, i.raw_row
FROM stage.priced_items AS i
JOIN stage.party_links AS p ON p.party = i.bidder
ORDER BY i.lot_id, p.party_id, i.item_code;
