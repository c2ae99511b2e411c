-- One record per purchase of the tender documents (招标文件购买). Who bought them is secret until the opening.
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    'YLDD' || lpad(CAST(b.lot AS VARCHAR), 7, '0') || lpad(CAST(b.firm AS VARCHAR), 7, '0') AS "PURCHASE_ORDER_NUMBER",
    stamp(b.purchased_at)                 AS "PURCHASE_TIME",
    '300'                                 AS "PURCHASE_MONEY",
    account(b.account)                    AS "PURCHASE_ACCOUNT",
    ip(b.ip)                              AS "PURCHASE_IP",
    ip(b.ip)                              AS "DOWNLOAD_IP",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('903', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.has_traces AND b.purchased_at IS NOT NULL
