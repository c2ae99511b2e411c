-- core.lots: one row per lot, also for a lot known only from its bids. Key: lot_id.
-- ceiling_price, estimate_price: in `currency`; *_cny only where the currency is CNY.
-- opened_on: local date of the opening. opening_at: UTC.
-- award_method: lowest_price, average_price, comprehensive_score or NULL (unknown: no price verdict).
-- class: what the lot is compared with: its classification, else the project type.
-- A tender that was delivered as one lot, 'T/', and then with its lots, or the other way round, is these lots.
-- re_tender_no: 2 for the second round; delivered, or known from two openings under one number, then also in lot_id.
-- first_round_id: the lot_id of the first of the rounds under one number.
-- refused_bids: bids that came and were refused; unread_prices: bids without a price that could be read (弃标, 未解密).
-- missing_bids: by the number of bidders that was delivered, else the refused ones. is_incomplete: any missing or unread.
-- has_section: false when no lot record was delivered, only bids.
CREATE TABLE core.lots AS
WITH counted AS (
    SELECT lot_id, count(*) AS bids, count(price_unread) AS unread FROM core.bids GROUP BY lot_id
),
refused AS (
    SELECT lot_id, count(*) AS bids FROM stage.refused_bids GROUP BY lot_id
),
known AS (
    SELECT l.lot_id FROM stage.lots AS l
    WHERE l.tender_id IS NULL OR l.lot_id <> l.tender_id || '/' OR NOT EXISTS (
        SELECT 1 FROM stage.lots AS o WHERE o.tender_id = l.tender_id AND o.lot_id <> l.lot_id
    )
    UNION
    SELECT lot_id FROM stage.bids
)
SELECT k.lot_id,
       coalesce(r.number, k.lot_id)                               AS first_round_id,
       l.tender_id,
       l.lot_name,
       coalesce(l.tender_name, t.tender_name)                     AS tender_name,
       coalesce(l.re_tender_no, r.round_no)                       AS re_tender_no,
       l.deal_code,
       l.class_code,
       coalesce(l.project_type, t.project_type)                   AS project_type,
       coalesce(l.class_code, l.project_type, t.project_type, '') AS class,
       coalesce(l.procurement_regime, t.procurement_regime)       AS procurement_regime,
       coalesce(d.award_method, l.award_method, t.award_method)   AS award_method,
       coalesce(l.region_code, t.region_code)                     AS region_code,
       l.place_name,
       coalesce(l.buyer_code, t.buyer_code)                       AS buyer_code,
       coalesce(l.buyer_name, t.buyer_name)                       AS buyer_name,
       coalesce(l.agency_code, t.agency_code)                     AS agency_code,
       coalesce(l.agency_name, t.agency_name)                     AS agency_name,
       t.supervisor_code,
       t.supervisor_name,
       coalesce(d.currency, l.currency)                           AS currency,
       l.estimate_price,
       coalesce(d.ceiling_price, l.ceiling_price)                 AS ceiling_price,
       CASE WHEN coalesce(d.currency, l.currency) = 'CNY'
            THEN coalesce(d.ceiling_price, l.ceiling_price) END   AS ceiling_price_cny,
       l.discount_share,
       l.bidder_count,
       coalesce(f.bids, 0)                                        AS refused_bids,
       coalesce(c.unread, 0)                                      AS unread_prices,
       greatest(coalesce(l.bidder_count - coalesce(c.bids, 0), f.bids, 0), 0) AS missing_bids,
       coalesce(c.unread, 0) > 0
           OR greatest(coalesce(l.bidder_count - coalesce(c.bids, 0), f.bids, 0), 0) > 0 AS is_incomplete,
       o.opening_at,
       o.opened_on,
       l.lot_id IS NOT NULL                                       AS has_section,
       l.raw_sha,
       l.raw_section,
       l.raw_row
FROM known AS k
LEFT JOIN stage.lots AS l ON l.lot_id = k.lot_id
LEFT JOIN stage.tenders AS t ON t.tender_id = l.tender_id
LEFT JOIN stage.documents AS d ON d.lot_id = k.lot_id
LEFT JOIN stage.openings AS o ON o.lot_id = k.lot_id
LEFT JOIN counted AS c ON c.lot_id = k.lot_id
LEFT JOIN refused AS f ON f.lot_id = k.lot_id
LEFT JOIN stage.rounds AS r ON r.lot_id = k.lot_id
ORDER BY k.lot_id;
