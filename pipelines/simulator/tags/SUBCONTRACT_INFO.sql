-- One record per subcontract (分包).
SELECT
    l.subcontracted_at                    AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    f.name                                AS "CONTRACTOR_NAME",
    f.code                                AS "CONTRACTOR_CODE",
    s.name                                AS "SUBCONTRACTOR_NAME",
    s.code                                AS "SUBCONTRACTOR_CODE",
    amount(l.subcontract_fen, l.is_ten_thousand) AS "SUBCONTRACT_PRICE",
    price_unit(l.is_ten_thousand)         AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp(l.subcontracted_at)             AS "SIGN_TIME",
    stamp(l.subcontracted_at)             AS "DATA_TIMESTAMP",
    data_key('907', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
JOIN world.firms AS f ON f.firm = l.winner
JOIN world.firms AS s ON s.firm = l.subcontractor
WHERE l.subcontracted_at IS NOT NULL AND l.channel <> 'sheet'
