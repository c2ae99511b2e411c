-- One record per purchase of the tender documents (招标文件购买). Who bought them is secret until the opening.
SELECT
    bids_known_at(l.opening_at)           AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "BIDDER_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "BIDDER_ORG_CODE",
    'YLDD' || lpad(CAST(b.lot AS VARCHAR), 7, '0') || lpad(CAST(b.firm AS VARCHAR), 7, '0') AS "PURCHASE_ORDER_NUMBER",
    stamp(b.purchased_at)                 AS "PURCHASE_TIME",
    '300'                                 AS "PURCHASE_MONEY",
    account(b.account)                    AS "PURCHASE_ACCOUNT",
    ip(b.ip)                              AS "PURCHASE_IP",
    ip(b.ip)                              AS "DOWNLOAD_IP",
    stamp(bids_known_at(l.opening_at))    AS "DATA_TIMESTAMP",
    data_key('903', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.has_traces AND l.channel <> 'sheet' AND b.purchased_at IS NOT NULL
