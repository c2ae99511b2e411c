-- One record per bid that the committee gave points or rejected (评标结果).
SELECT
    scores_known_at(l.opening_at)         AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "BIDDER_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "BIDDER_ORG_CODE",
    CAST(CAST(b.price_score AS DECIMAL(9, 2)) AS VARCHAR) AS "PRICE_SCORE",
    CAST(CAST(b.other_score AS DECIMAL(9, 2)) AS VARCHAR) AS "OTHER_SCORE",
    CAST(CAST(b.score AS DECIMAL(9, 2)) AS VARCHAR) AS "TOTAL_SCORE",
    CAST(b.rank AS VARCHAR)               AS "RANK",
    CASE WHEN b.veto IS NULL THEN '0' ELSE '1' END AS "IS_VETO",
    b.veto                                AS "VETO_REASON_DETAIL",
    stamp(scores_known_at(l.opening_at))  AS "DATA_TIMESTAMP",
    data_key('905', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.is_electronic AND l.channel <> 'sheet' AND (b.score IS NOT NULL OR b.veto IS NOT NULL)
