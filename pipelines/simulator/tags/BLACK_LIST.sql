-- One record per ban (黑名单).
SELECT
    b.decided_at                          AS known_at,
    'xml'                                 AS stream,
    0                                     AS lot,
    b.ban                                 AS firm,
    b.record_no                           AS "BLACKLIST_CODE",
    f.name                                AS "BODY_NAME",
    f.code                                AS "BODY_CODE",
    b.reason                              AS "RECORD_REASON",
    b.issuer                              AS "GOVERNMENT",
    b.decision_no                         AS "DOCUMENT_CODE",
    b.action                              AS "CONFINED_ACTION",
    stamp_day(b.starts_on)                AS "CONFINED_START",
    stamp_day(b.ends_on)                  AS "CONFINED_END",
    stamp(b.decided_at)                   AS "DATA_TIMESTAMP",
    data_key('302', b.ban, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bans AS b
JOIN world.firms AS f ON f.firm = b.firm
