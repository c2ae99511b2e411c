-- One record per tender document (招标文件), and a newer version of it where the opening was moved.
WITH versions AS (
    SELECT *, document_at AS known_at, coalesce(first_opening_at, opening_at) AS planned_at, NULL AS moved_to,
           '1' AS change
    FROM world.lots
    UNION ALL
    SELECT *, moved_at, first_opening_at, opening_at, '2'
    FROM world.lots
    WHERE moved_at IS NOT NULL
)
SELECT
    v.known_at,
    stream_of(v.channel)                  AS stream,
    v.lot,
    0                                     AS firm,
    v.lot_id                              AS "BID_SECTION_CODE",
    v.tender_id                           AS "TENDER_PROJECT_CODE",
    amount(v.ceiling_fen, v.is_ten_thousand) AS "CONTROL_PRICE",
    price_unit(v.is_ten_thousand)         AS "CONTROL_PRICE_UNIT",
    '156'                                 AS "CONTROL_PRICE_CURRENCY",
    amount(v.deposit_fen, FALSE)          AS "MARGIN_AMOUNT",
    '0'                                   AS "MARGIN_AMOUNT_UNIT",
    stamp(coalesce(v.moved_to, v.planned_at)) AS "BID_DOC_REFER_END_TIME",
    stamp(v.planned_at)                   AS "BID_OPEN_TIME",
    stamp(v.moved_to)                     AS "POST_OPEN_TIME",
    v.method_text                         AS "EVALUATING_METHOD",
    stamp(v.known_at)                     AS "DATA_TIMESTAMP",
    data_key('504', v.lot, 0)             AS "DATA_KEY",
    v.change                              AS "TITLE/DATA_TYPE"
FROM versions AS v
WHERE v.regime = 'construction' AND v.channel <> 'sheet'
