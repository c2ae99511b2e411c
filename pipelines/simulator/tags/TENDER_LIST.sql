-- One record per bid on works that are not the housing system's (投标人名单).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.tender_id                           AS "TENDER_PROJECT_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    b.bidder_region_code                  AS "BIDDER_REGION_CODE",
    b.price                               AS "BID_PRICE",
    b.unit                                AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    b.price_form                          AS "PRICE_FORM_CODE",
    b.other_price                         AS "OTHER_BID_PRICE",
    CAST(b.duration_days AS VARCHAR)      AS "TIME_LIMIT",
    stamp(b.submitted_at)                 AS "CHECKIN_TIME",
    person_name(b.manager)                AS "BID_MANAGER",
    person_id(b.manager)                  AS "PM_CODE",
    person_name(b.operator)               AS "BIDDER_OPERATION_PERSON",
    person_id(b.operator)                 AS "BIDDER_OPERATION_PERSON_ID",
    phone(b.operator_phone)               AS "BIDDER_OPERATION_PERSON_CON",
    coalesce(p.code, '/')                 AS "UNION_ORGAN_SET_CODE",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('507', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
LEFT JOIN world.firms AS p ON p.firm = b.partner
WHERE b.regime = 'construction' AND NOT is_of_housing(b.project_type)
