-- One record per award of works (中标结果公告).
SELECT
    l.shown_at                            AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    f.name                                AS "WIN_BIDDER_NAME",
    f.code                                AS "WIN_BIDDER_CODE",
    amount(l.winner_fen, l.is_ten_thousand) AS "BID_AMOUNT",
    price_unit(l.is_ten_thousand)         AS "PRICE_UNIT",
    '156'                                 AS "BID_CURRENCY",
    stamp(l.shown_at)                     AS "NOTICE_SEND_TIME",
    person_name(b.manager)                AS "PROJECT_LEAD",
    person_id(b.manager)                  AS "PROJECT_LEAD_ID",
    stamp(l.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('513', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
JOIN world.bids AS b ON b.lot = l.lot AND b.firm = l.winner
JOIN world.firms AS f ON f.firm = l.winner
WHERE l.shown_at IS NOT NULL AND l.regime = 'construction' AND l.channel <> 'sheet'
