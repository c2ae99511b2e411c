-- One record per bid: its technical leader (项目组成员).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    '技术负责人'                          AS "POSITION",
    person_name(b.leader)                 AS "NAME",
    person_id(b.leader)                   AS "ID_CARD_NO",
    phone(person_phone_number(b.leader))  AS "PHONE",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('904', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.is_electronic AND b.leader >= 0
