-- One record per change of a contract (合同变更).
SELECT
    c.approved_at                         AS known_at,
    stream_of(l.channel)                  AS stream,
    c.lot,
    c.place                               AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    'BG-' || c.place                      AS "ALTER_CODE",
    '工程量变更'                          AS "ALTER_TYPE",
    c.item                                AS "ALTER_ITEM",
    c.unit                                AS "UNIT",
    CAST(c.quantity_before AS VARCHAR)    AS "QUANTITY_BEFORE",
    CAST(c.quantity_after AS VARCHAR)     AS "QUANTITY_AFTER",
    amount(c.before_fen, FALSE)           AS "AMOUNT_BEFORE",
    amount(c.after_fen, FALSE)            AS "AMOUNT_AFTER",
    '0'                                   AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp_day(c.approved_at)              AS "APPROVE_TIME",
    stamp(c.approved_at)                  AS "DATA_TIMESTAMP",
    data_key('918', c.lot, c.place)       AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.changes AS c
JOIN world.lots AS l ON l.lot = c.lot
