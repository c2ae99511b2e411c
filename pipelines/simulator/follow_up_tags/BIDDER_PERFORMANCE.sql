-- One record per earlier work that a bid claims (业绩).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    '1'                                   AS "PERFORMANCE_NO",
    c.lot_name                            AS "PROJECT_NAME",
    c.claimed_lot_id                      AS "CLAIMED_SECTION_CODE",
    amount(c.price_fen, FALSE)            AS "CONTRACT_PRICE",
    '0'                                   AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp_day(c.signed_on)                AS "CONTRACT_SIGN_TIME",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('913', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
JOIN follow_up.claims AS c ON c.lot = b.lot AND c.firm = b.firm
