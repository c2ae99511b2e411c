-- One record per bid file and member of the bidder (投标文件特征码): the computers that wrote, priced and sent it.
WITH members AS (
    SELECT *, firm AS member FROM world.bids
    UNION ALL
    SELECT *, partner FROM world.bids WHERE partner >= 0
)
SELECT
    bids_known_at(l.opening_at)           AS known_at,
    stream_of(l.channel)                  AS stream,
    m.lot,
    m.member                              AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    CASE WHEN m.member = m.firm THEN written_name(f.name, f.former_name, m.name_form) ELSE f.name END AS "BIDDER_NAME",
    CASE WHEN m.member = m.firm
         THEN written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), m.code_form)
         ELSE f.code END                  AS "BIDDER_ORG_CODE",
    '投标文件'                            AS "BID_DOCUMENT_NAME",
    file_md5(m.lot, m.firm)               AS "BID_DOCUMENT_MD5",
    file_code(m.file_id)                  AS "FILE_CREATE_CODE",
    stamp(m.submitted_at)                 AS "TENDER_DOC_SUBMITTIME",
    CASE WHEN m.is_on_site THEN '1' ELSE '0' END AS "IS_ON_SITE",
    mac(m.upload_machine)                 AS "MAC_ADDRESS",
    cpu(m.upload_machine)                 AS "CPU_ID",
    disk(m.upload_machine)                AS "HARD_DISK_SERIAL_NUMBER",
    ip(m.ip)                              AS "NET_ID",
    CASE WHEN m.has_buyers_entry AND l.buyer_machine >= 0 THEN machine_xml(l.buyer_machine, l.buyer_dongle) ELSE '' END
        || coalesce(machine_xml(m.pricing_machine, m.dongle), '') AS "VALUATION_XML",
    machine_xml(m.edit_machine, -1)       AS "MAKE_TOOL_XML",
    stamp(bids_known_at(l.opening_at))    AS "DATA_TIMESTAMP",
    data_key('519', m.lot, m.member)      AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM members AS m
JOIN world.lots AS l ON l.lot = m.lot
JOIN world.firms AS f ON f.firm = m.member
WHERE l.has_traces AND l.channel <> 'sheet'
