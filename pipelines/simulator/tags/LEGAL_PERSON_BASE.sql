-- One record per registered organisation (法人基本信息), and a change where a firm took another name.
-- A firm is registered on the platform when it takes part in something, or belongs to one that does.
WITH firms AS (
    SELECT * FROM world.firms
    WHERE firm IN (
        SELECT firm FROM world.bids UNION SELECT partner FROM world.bids UNION SELECT subcontractor FROM world.lots
        UNION SELECT firm FROM world.firms WHERE owner >= 0 UNION SELECT owner FROM world.firms
    )
), organisations AS (
    SELECT registered_on + INTERVAL 8 HOURS AS known_at, 0 AS kind, firm AS number, code,
           coalesce(former_name, name) AS name, head, NULL AS phone, region_code, registered_on, '1' AS change
    FROM firms
    UNION ALL
    -- Some firms change their name in their second year, some later.
    SELECT registered_on + to_days(400 + firm % 900) + INTERVAL 8 HOURS, 0, firm, code, name, head, NULL,
           region_code, registered_on, '2'
    FROM firms
    WHERE former_name IS NOT NULL
    UNION ALL
    SELECT TIMESTAMP '2016-01-04 08:00:00', 1, agency, code, name, -1, phone, region_code, NULL, '1'
    FROM world.agencies
    UNION ALL
    SELECT TIMESTAMP '2016-01-04 08:00:00', 2, buyer, code, name, -1, NULL, region_code, NULL, '1'
    FROM world.buyers
)
SELECT
    known_at,
    'xml'                                 AS stream,
    kind                                  AS lot,
    number                                AS firm,
    code                                  AS "LEGAL_CODE",
    name                                  AS "LEGAL_NAME",
    CASE WHEN head >= 0 THEN person_name(head) END AS "LEGAL_REPRESENT",
    CASE WHEN head >= 0 THEN person_id(head) END AS "REPRESENT_ID",
    CASE WHEN head >= 0 THEN phone(person_phone_number(head)) ELSE phone END AS "REPRESENT_PHONE",
    stamp_day(registered_on)              AS "REGISTER_DATE",
    region_code                           AS "REGION_CODE",
    stamp(known_at)                       AS "DATA_TIMESTAMP",
    data_key('100', number, kind)         AS "DATA_KEY",
    change                                AS "TITLE/DATA_TYPE"
FROM organisations
