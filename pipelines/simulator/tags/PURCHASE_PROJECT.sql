-- One record per package of a government purchase (采购项目), and a newer one where the opening was moved.
-- The budget is the ceiling price. EVALUATING_METHOD is this centre's own column here.
WITH versions AS (
    SELECT *, document_at AS known_at, coalesce(first_opening_at, opening_at) AS planned_at, '1' AS change
    FROM world.lots
    UNION ALL
    SELECT *, moved_at, opening_at, '2'
    FROM world.lots
    WHERE moved_at IS NOT NULL
)
SELECT
    v.known_at,
    stream_of(v.channel)                  AS stream,
    v.lot,
    0                                     AS firm,
    v.lot_id                              AS "PURCHASE_SECTION_CODE",
    v.tender_id                           AS "PURCHASE_PROJECT_CODE",
    v.tender_name                         AS "PURCHASE_PROJECT_NAME",
    v.lot_name                            AS "PURCHASE_SECTION_NAME",
    v.deal_code                           AS "UNIFIED_DEAL_CODE",
    v.project_type                        AS "TENDER_PROJECT_TYPE",
    y.name                                AS "PURCHASER_NAME",
    y.code                                AS "PURCHASER_CODE",
    a.name                                AS "PURCHASER_AGENCY_NAME",
    a.code                                AS "PURCHASER_AGENCY_CODE",
    v.supervisor_name                     AS "SUPERVISE_DEPT_NAME",
    v.region_code                         AS "REGION_CODE",
    amount(v.ceiling_fen, v.is_ten_thousand) AS "PROGRAM_BUDGET",
    price_unit(v.is_ten_thousand)         AS "UNIT_BUDGET",
    '156'                                 AS "BUDGET_CURRENCY",
    v.method_text                         AS "EVALUATING_METHOD",
    stamp(v.planned_at)                   AS "BID_OPEN_TIME",
    stamp(v.known_at)                     AS "DATA_TIMESTAMP",
    data_key('550', v.lot, 0)             AS "DATA_KEY",
    v.change                              AS "TITLE/DATA_TYPE"
FROM versions AS v
JOIN world.buyers AS y ON y.buyer = v.buyer
LEFT JOIN world.agencies AS a ON a.agency = v.agency
WHERE v.regime = 'government_procurement' AND v.channel <> 'sheet'
