-- The lots, bids, rigged lots and links of one period, from the rows that `county` registered.
-- Times arrive as local seconds since 1970, -1 none.
CREATE OR REPLACE MACRO at_second(s) AS CASE WHEN s >= 0 THEN make_timestamp(CAST(s AS BIGINT) * 1000000) END;

INSERT INTO world.lots BY NAME
WITH numbered AS (
    SELECT r.*, b.region_code, b.name AS buyer_name, at_second(r.published) AS published_at,
        'E' || b.region_code || lpad(CAST(r.tender AS VARCHAR), 10, '0') AS project_id
    FROM lot_rows AS r
    JOIN world.buyers AS b ON b.buyer = r.buyer
), named AS (
    SELECT *,
        CASE WHEN regime = 'construction' THEN project_id || '001'
             ELSE 'YLCG-' || region_code || '-' || lpad(CAST(tender AS VARCHAR), 8, '0') END AS tender_id
    FROM numbered
)
SELECT
    lot,
    tender_id || CASE WHEN regime = 'construction' THEN lpad(CAST(section AS VARCHAR), 3, '0')
                      ELSE '-' || lpad(CAST(section AS VARCHAR), 3, '0') END AS lot_id,
    tender_id, project_id,
    CASE WHEN regime = 'construction' THEN project_type ELSE 'D99' END
        || '-' || credit_code('12', region_code, 300000) || strftime(published_at, '-%Y%m%d-')
        || lpad(CAST(lot % 1000000 AS VARCHAR), 6, '0') || '-0' AS deal_code,
    section = 1 AS is_first_of_tender,
    buyer_name || segment_name || lpad(CAST(tender AS VARCHAR), 5, '0') || '号第' || (section - 1) % 100 + 1 || '标段' AS lot_name,
    buyer_name || segment_name || lpad(CAST(tender AS VARCHAR), 5, '0') || '号' AS tender_name,
    segment_key AS segment, project_type, class_code, regime,
    CASE WHEN is_hand_kept THEN 'sheet' ELSE segment_channel END AS channel,
    region_code, buyer, agency,
    regexp_extract(buyer_name, '^(.*样例)', 1) || supervisor AS supervisor_name,
    attempt, rule, method_text, draws, balls, benchmark_fen, ceiling_fen, estimate_fen, deposit_fen,
    is_ten_thousand, is_by_rate, is_electronic, has_traces, buyer_machine, buyer_dongle,
    published_at, at_second(document) AS document_at, at_second(first_opening) AS first_opening_at,
    at_second(moved) AS moved_at, at_second(opening) AS opening_at,
    CASE WHEN is_failed THEN 'failed' ELSE 'awarded' END AS status,
    at_second(shown) AS shown_at, at_second(signed) AS signed_at, winner, winner_fen, contract_fen,
    subcontractor, subcontract_fen, at_second(subcontracted) AS subcontracted_at
FROM named
ORDER BY lot;

INSERT INTO world.bids BY NAME
SELECT
    lot, firm, partner, price_fen, cost_fen, discount, duration_days,
    at_second(submitted) AS submitted_at, at_second(purchased) AS purchased_at, at_second(deposited) AS deposited_at,
    manager, leader, operator, agent, operator_phone, agent_phone, deposit_form, account,
    edit_machine, upload_machine, pricing_machine, dongle, ip, is_on_site, file_id, has_buyers_entry,
    price_score, other_score, score, rank, veto, name_form, code_form, is_wrong_unit, ring, role
FROM bid_rows
ORDER BY lot, firm;

INSERT INTO world.rigged BY NAME
SELECT lot, ring, tactic, care, designated, is_forgone, price_given_up_fen FROM rigged_rows ORDER BY lot;

INSERT INTO world.links BY NAME
SELECT lot, what, ring, list(firm ORDER BY firm) AS firms, is_innocent, note
FROM link_rows
GROUP BY lot, what, ring, is_innocent, note
ORDER BY lot, what;
