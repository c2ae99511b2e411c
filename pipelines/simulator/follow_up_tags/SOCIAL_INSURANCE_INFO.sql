-- One record per person whom a firm insures (社会保险), and a change when it ends.
WITH versions AS (
    SELECT *, CAST(starts_on AS TIMESTAMP) + INTERVAL 34 HOURS AS known_at, NULL AS ended_on, '1' AS change
    FROM follow_up.insured
    UNION ALL
    SELECT *, CAST(ends_on AS TIMESTAMP) + INTERVAL 34 HOURS, ends_on, '2'
    FROM follow_up.insured
    WHERE ends_on IS NOT NULL
)
SELECT
    v.known_at,
    'xml'                                 AS stream,
    v.person                              AS lot,
    v.firm,
    f.name                                AS "LEGAL_NAME",
    f.code                                AS "LEGAL_CODE",
    person_id(v.person)                   AS "ID_CARD_NO",
    stamp_day(v.starts_on)                AS "INSURED_START",
    stamp_day(v.ended_on)                 AS "INSURED_END",
    stamp(v.known_at)                     AS "DATA_TIMESTAMP",
    data_key('917', person_place(v.person), (v.starts_on - DATE '1990-01-01') * 500 + v.firm % 500) AS "DATA_KEY",
    v.change                              AS "TITLE/DATA_TYPE"
FROM versions AS v
JOIN world.firms AS f ON f.firm = v.firm
