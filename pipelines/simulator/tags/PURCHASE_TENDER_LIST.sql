-- One record per offer in a government purchase (供应商名单).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "PURCHASE_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    b.price                               AS "BID_PRICE",
    b.unit                                AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    b.price_form                          AS "PRICE_FORM_CODE",
    b.other_price                         AS "OTHER_BID_PRICE",
    stamp(b.submitted_at)                 AS "CHECKIN_TIME",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('556', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.regime = 'government_procurement'
