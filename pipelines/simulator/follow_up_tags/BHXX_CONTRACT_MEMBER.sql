-- One record per person whom a contract names for the site (合同约定的现场管理人员).
SELECT
    l.signed_at + INTERVAL 1 HOUR         AS known_at,
    stream_of(l.channel)                  AS stream,
    m.lot,
    m.person                              AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    f.name                                AS "CONTRACTOR_NAME",
    f.code                                AS "CONTRACTOR_CODE",
    m.role                                AS "POSITION",
    person_name(m.person)                 AS "NAME",
    person_id(m.person)                   AS "ID_CARD_NO",
    stamp(l.signed_at + INTERVAL 1 HOUR)  AS "DATA_TIMESTAMP",
    data_key('916', m.lot, instr('项技质安', left(m.role, 1))) AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.members AS m
JOIN world.lots AS l ON l.lot = m.lot
JOIN world.firms AS f ON f.firm = m.firm
