-- One record per winning candidate, the first three (中标候选人).
SELECT
    b.shown_at                            AS known_at,
    b.stream,
    b.lot,
    b.rank                                AS firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "WIN_CANDIDATE_NAME",
    b.bidder_code                         AS "WIN_CANDIDATE_CODE",
    CAST(b.rank AS VARCHAR)               AS "WIN_CANDIDATE_ORDER",
    CASE WHEN b.is_by_rate THEN '1' ELSE '0' END AS "IS_FLOAT_RATE",
    amount(b.price_fen, b.is_ten_thousand) AS "BID_PRICE",
    price_unit(b.is_ten_thousand)         AS "PRICE_UINT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp(b.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('510', b.lot, b.rank)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.is_electronic AND b.rank <= 3 AND b.shown_at IS NOT NULL AND b.regime = 'construction'
