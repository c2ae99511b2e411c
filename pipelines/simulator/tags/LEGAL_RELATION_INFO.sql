-- One record per firm that another firm holds (持股、控股).
SELECT
    greatest(f.registered_on, o.registered_on) + INTERVAL 9 HOURS AS known_at,
    'xml'                                 AS stream,
    0                                     AS lot,
    f.firm,
    f.code                                AS "LEGAL_CODE",
    f.name                                AS "LEGAL_NAME",
    o.code                                AS "HOLDER_CODE",
    o.name                                AS "HOLDER_NAME",
    CASE WHEN f.owner_share > 0.5 THEN '2' ELSE '1' END AS "RELATION",
    CAST(CAST(f.owner_share * 100 AS DECIMAL(5, 2)) AS VARCHAR) AS "SHARE",
    stamp_day(greatest(f.registered_on, o.registered_on)) AS "START_DATE",
    stamp(greatest(f.registered_on, o.registered_on) + INTERVAL 9 HOURS) AS "DATA_TIMESTAMP",
    data_key('908', f.firm, 0)            AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.firms AS f
JOIN world.firms AS o ON o.firm = f.owner
