-- One record per award of a government purchase (成交公告).
SELECT
    l.shown_at                            AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "PURCHASE_SECTION_CODE",
    f.name                                AS "WINNINGBIDDER_NAME",
    f.code                                AS "WINNINGBIDDER_CODE",
    amount(l.winner_fen, l.is_ten_thousand) AS "WIN_BID_PRICE",
    price_unit(l.is_ten_thousand)         AS "PRICE_UNIT",
    '156'                                 AS "CURRENCY_CODE",
    stamp(l.shown_at)                     AS "WIN_BID_BULLETIN_START_TIME",
    stamp(l.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('553', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
JOIN world.firms AS f ON f.firm = l.winner
WHERE l.shown_at IS NOT NULL AND l.regime = 'government_procurement' AND l.channel <> 'sheet'
