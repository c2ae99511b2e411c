-- One record per offer in a government purchase (供应商名单).
SELECT
    bids_known_at(l.opening_at)           AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.firm,
    l.lot_id                              AS "PURCHASE_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "BIDDER_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "BIDDER_ORG_CODE",
    CASE WHEN l.is_by_rate THEN '/' ELSE amount(b.price_fen, l.is_ten_thousand OR b.is_wrong_unit) END AS "BID_PRICE",
    price_unit(l.is_ten_thousand AND NOT b.is_wrong_unit) AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    CASE WHEN l.is_by_rate THEN '2' ELSE '1' END AS "PRICE_FORM_CODE",
    CASE WHEN l.is_by_rate THEN '下浮率' || CAST(CAST(b.discount AS DECIMAL(9, 2)) AS VARCHAR) || '%' END AS "OTHER_BID_PRICE",
    stamp(b.submitted_at)                 AS "CHECKIN_TIME",
    stamp(bids_known_at(l.opening_at))    AS "DATA_TIMESTAMP",
    data_key('556', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.regime = 'government_procurement' AND l.channel <> 'sheet'
