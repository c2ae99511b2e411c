-- One record per accepted work (竣工验收), sent when it is settled (结算).
SELECT
    s.settled_at                          AS known_at,
    stream_of(l.channel)                  AS stream,
    s.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    stamp_day(s.accepted_at)              AS "ACCEPT_TIME",
    amount(s.settled_fen, FALSE)          AS "SETTLE_PRICE",
    '0'                                   AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp(s.settled_at)                   AS "DATA_TIMESTAMP",
    data_key('919', s.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.settled AS s
JOIN world.lots AS l ON l.lot = s.lot
WHERE NOT s.is_lost
