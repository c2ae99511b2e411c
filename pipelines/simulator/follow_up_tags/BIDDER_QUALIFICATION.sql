-- One record per certificate that a bid states (投标文件所列资质).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    s.certificate_no                      AS "CERTIFICATE_NO",
    s.kind                                AS "QUALIFICATION_TYPE",
    ['一级', '二级', '三级'][s.level]     AS "QUALIFICATION_LEVEL",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('912', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
JOIN follow_up.stated AS s ON s.lot = b.lot AND s.firm = b.firm
