-- One record per tender of works (招标项目).
SELECT
    l.published_at                        AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.tender_id                           AS "TENDER_PROJECT_CODE",
    l.project_id                          AS "PROJECT_CODE",
    l.tender_name                         AS "TENDER_PROJECT_NAME",
    l.project_type                        AS "TENDER_PROJECT_TYPE",
    '1'                                   AS "IS_TO_LAW",
    '1'                                   AS "TENDER_MODE",
    y.name                                AS "TENDERER_NAME",
    y.code                                AS "TENDERER_CODE",
    a.name                                AS "TENDER_AGENCY_NAME",
    a.code                                AS "TENDER_AGENCY_CODE",
    l.supervisor_name                     AS "SUPERVISE_DEPT_NAME",
    l.region_code                         AS "REGION_CODE",
    stamp(l.published_at)                 AS "DATA_TIMESTAMP",
    data_key('501', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
JOIN world.buyers AS y ON y.buyer = l.buyer
LEFT JOIN world.agencies AS a ON a.agency = l.agency
WHERE l.is_first_of_tender AND l.regime = 'construction' AND l.channel <> 'sheet'
