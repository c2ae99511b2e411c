-- One record per bid that the committee gave points or rejected (评标结果).
SELECT
    scores_known_at(b.opening_at)         AS known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    CAST(CAST(b.price_score AS DECIMAL(9, 2)) AS VARCHAR) AS "PRICE_SCORE",
    CAST(CAST(b.other_score AS DECIMAL(9, 2)) AS VARCHAR) AS "OTHER_SCORE",
    CAST(CAST(b.score AS DECIMAL(9, 2)) AS VARCHAR) AS "TOTAL_SCORE",
    CAST(b.rank AS VARCHAR)               AS "RANK",
    CASE WHEN b.veto IS NULL THEN '0' ELSE '1' END AS "IS_VETO",
    b.veto                                AS "VETO_REASON_DETAIL",
    stamp(scores_known_at(b.opening_at))  AS "DATA_TIMESTAMP",
    data_key('905', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.is_electronic AND (b.score IS NOT NULL OR b.veto IS NOT NULL)
