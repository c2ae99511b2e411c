-- One record per contract (合同).
SELECT
    l.signed_at                           AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    f.name                                AS "BIDDER_NAME",
    f.code                                AS "BIDDER_CODE",
    amount(l.contract_fen, l.is_ten_thousand) AS "CONTRACT_PRICE",
    price_unit(l.is_ten_thousand)         AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp(l.signed_at)                    AS "CONTRACT_SIGN_TIME",
    stamp(l.signed_at)                    AS "DATA_TIMESTAMP",
    data_key('512', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
JOIN world.firms AS f ON f.firm = l.winner
WHERE l.is_electronic AND l.signed_at IS NOT NULL AND l.channel <> 'sheet'
