-- One record per finding beside the blacklist (违法违规信息).
SELECT
    CAST(v.found_on AS TIMESTAMP) + INTERVAL 9 HOURS AS known_at,
    'xml'                                 AS stream,
    0                                     AS lot,
    v.firm,
    f.name                                AS "BODY_NAME",
    f.code                                AS "BODY_CODE",
    v.decision_no                         AS "DOCUMENT_CODE",
    v.reason                              AS "VIOLATING_NAME",
    '罚款'                                AS "CONFINED_ACTION",
    '样例监督局'                          AS "GOVERNMENT",
    v.region_code                         AS "GOVERNMENT_REGION_CODE",
    stamp_day(v.found_on)                 AS "CONFINED_START",
    stamp(CAST(v.found_on AS TIMESTAMP) + INTERVAL 9 HOURS) AS "DATA_TIMESTAMP",
    data_key('921', v.firm, 0)            AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.findings AS v
JOIN world.firms AS f ON f.firm = v.firm
