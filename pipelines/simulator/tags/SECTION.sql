-- One record per lot of works (标段).
SELECT
    l.published_at                        AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    l.tender_id                           AS "TENDER_PROJECT_CODE",
    l.lot_name                            AS "BID_SECTION_NAME",
    CAST(l.attempt AS VARCHAR)            AS "BID_ECTION_NUM",
    l.deal_code                           AS "UNIFIED_DEAL_CODE",
    l.class_code                          AS "TENDER_PROJECT_CLASSIFY_CODE",
    l.region_code                         AS "REGION_CODE",
    amount(l.estimate_fen, l.is_ten_thousand) AS "CONTRACT_RECKON_PRICE",
    price_unit(l.is_ten_thousand)         AS "PRICE_UNIT",
    '156'                                 AS "CURRENCY_CODE",
    stamp(l.published_at)                 AS "DATA_TIMESTAMP",
    data_key('502', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
WHERE l.regime = 'construction' AND l.channel <> 'sheet'
