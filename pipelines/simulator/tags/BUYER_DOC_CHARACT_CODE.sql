-- One record per ceiling-price list (控制价): the buyer's own computer and dongle behind it.
SELECT
    l.document_at                         AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    '控制价.xml'                          AS "DOCUMENT_NAME",
    machine_xml(l.buyer_machine, l.buyer_dongle) AS "VALUATION_XML",
    stamp(l.document_at)                  AS "DATA_TIMESTAMP",
    data_key('901', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
WHERE l.buyer_machine >= 0 AND l.channel <> 'sheet'
