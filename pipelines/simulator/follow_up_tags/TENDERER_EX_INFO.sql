-- One record per certificate and time for which it was granted (企业资质).
SELECT
    greatest(CAST(c.starts_on AS TIMESTAMP), CAST(f.registered_on AS TIMESTAMP)) + INTERVAL 10 HOURS AS known_at,
    'xml'                                 AS stream,
    c.starts_on - DATE '2010-01-01'       AS lot,
    c.firm,
    h.name                                AS "LEGAL_NAME",
    h.code                                AS "LEGAL_CODE",
    c.certificate_no                      AS "CERTIFICATE_NO",
    c.kind                                AS "QUALIFICATION_TYPE",
    ['一级', '二级', '三级'][c.level]     AS "QUALIFICATION_LEVEL",
    stamp_day(c.starts_on)                AS "VALID_START",
    stamp_day(c.ends_on)                  AS "VALID_END",
    stamp(greatest(CAST(c.starts_on AS TIMESTAMP), CAST(f.registered_on AS TIMESTAMP)) + INTERVAL 10 HOURS) AS "DATA_TIMESTAMP",
    data_key('911', c.firm, c.starts_on - DATE '2010-01-01') AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.certificates AS c
JOIN world.firms AS f ON f.firm = c.firm
JOIN world.firms AS h ON h.firm = c.holder
WHERE c.firm IN (SELECT firm FROM follow_up.stated)
