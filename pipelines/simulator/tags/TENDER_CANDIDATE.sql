-- One record per winning candidate, the first three (中标候选人).
SELECT
    l.shown_at                            AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.rank                                AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "WIN_CANDIDATE_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "WIN_CANDIDATE_CODE",
    CAST(b.rank AS VARCHAR)               AS "WIN_CANDIDATE_ORDER",
    CASE WHEN l.is_by_rate THEN '1' ELSE '0' END AS "IS_FLOAT_RATE",
    amount(b.price_fen, l.is_ten_thousand) AS "BID_PRICE",
    price_unit(l.is_ten_thousand)         AS "PRICE_UINT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp(l.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('510', b.lot, b.rank)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.is_electronic AND b.rank <= 3 AND l.shown_at IS NOT NULL AND l.regime = 'construction' AND l.channel <> 'sheet'
