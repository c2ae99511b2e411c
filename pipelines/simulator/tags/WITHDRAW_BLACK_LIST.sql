-- One record per ban that was withdrawn (撤销黑名单).
SELECT
    b.withdrawn_at                        AS known_at,
    'xml'                                 AS stream,
    0                                     AS lot,
    b.ban                                 AS firm,
    f.name                                AS "BODY_NAME",
    f.code                                AS "BODY_CODE",
    b.record_no                           AS "BLACKLIST_CODE",
    '处理决定被撤销'                      AS "REVOCATIONEASONS",
    b.issuer                              AS "GOVERNMENT",
    replace(b.decision_no, '罚', '撤')    AS "DOCUMENT_CODE",
    stamp_day(b.withdrawn_at)             AS "APPLICATION_DATE",
    stamp(b.withdrawn_at)                 AS "DATA_TIMESTAMP",
    data_key('303', b.ban, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bans AS b
JOIN world.firms AS f ON f.firm = b.firm
WHERE b.withdrawn_at IS NOT NULL
