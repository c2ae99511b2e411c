-- One record per bid: its technical leader (项目组成员).
SELECT
    bids_known_at(l.opening_at)           AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "BIDDER_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "BIDDER_ORG_CODE",
    '技术负责人'                          AS "POSITION",
    person_name(b.leader)                 AS "NAME",
    person_id(b.leader)                   AS "ID_CARD_NO",
    phone(person_phone_number(b.leader))  AS "PHONE",
    stamp(bids_known_at(l.opening_at))    AS "DATA_TIMESTAMP",
    data_key('904', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.is_electronic AND b.leader >= 0 AND l.channel <> 'sheet'
