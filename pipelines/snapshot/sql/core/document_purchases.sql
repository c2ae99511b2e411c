-- core.document_purchases: one row per purchase or download of a tender document.
-- Key: lot_id, bidder_id, order_no. account: token. purchased_at: UTC.
CREATE TABLE core.document_purchases AS
SELECT d.lot_id, p.party_id AS bidder_id, d.order_no, d.purchased_at, d.account, d.amount, d.currency,
       d.purchase_ip, d.purchase_browser, d.download_ip, d.download_browser, d.raw_sha, d.raw_section, d.raw_row
FROM stage.document_purchases AS d
JOIN stage.party_links AS p ON p.party = d.bidder
ORDER BY d.lot_id, p.party_id, d.order_no;
