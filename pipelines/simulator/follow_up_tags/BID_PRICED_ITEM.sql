-- One record per item of a priced bill of quantities (已标价工程量清单).
SELECT
    b.known_at,
    b.stream,
    b.lot,
    p.firm * 100 + p.item                 AS firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    '0401' || lpad(CAST(p.item AS VARCHAR), 5, '0') || '001' AS "ITEM_CODE",
    ['m3', 'm2', 'm', 't', '项'][1 + p.item % 5] AS "UNIT",
    CAST(p.unit_price AS VARCHAR)         AS "UNIT_PRICE",
    CASE WHEN p.is_published THEN '1' ELSE '0' END AS "IS_PUBLISHED_PRICE",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('914', b.lot, p.firm * 100 + p.item) AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
JOIN follow_up.prices AS p ON p.lot = b.lot AND p.firm = b.firm
