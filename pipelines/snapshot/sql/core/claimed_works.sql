-- core.claimed_works: one row per earlier work that a bid claims. Key: lot_id, bidder_id, work_no.
-- lot_id: the lot that the bid is for; claimed_lot_id: the lot of the claimed work, NULL outside this market.
-- price: in `currency`. signed_on: local date, of the claimed work's contract.
CREATE TABLE core.claimed_works AS
SELECT w.lot_id, p.party_id AS bidder_id, w.work_no, w.project_name, w.claimed_lot_id, w.price, w.currency,
       w.signed_on, w.raw_sha, w.raw_section, w.raw_row
FROM stage.claimed_works AS w
JOIN stage.party_links AS p ON p.party = w.bidder
ORDER BY w.lot_id, p.party_id, w.work_no;
