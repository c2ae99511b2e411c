-- One record per payment under a contract (合同价款支付). A bank has organisation number 400,000.
SELECT
    p.paid_at + INTERVAL 1 DAY            AS known_at,
    stream_of(l.channel)                  AS stream,
    p.lot,
    p.place                               AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    'ZF-' || p.place                      AS "PAYMENT_CODE",
    CASE p.payee WHEN -2 THEN '样例商业保理有限公司' ELSE f.name END AS "PAYEE_NAME",
    CASE p.payee WHEN -2 THEN credit_code('91', l.region_code, 400000) ELSE f.code END AS "PAYEE_CODE",
    amount(p.paid_fen, FALSE)             AS "PAY_AMOUNT",
    '0'                                   AS "PRICE_UNIT",
    '156'                                 AS "PRICE_CURRENCY",
    stamp_day(p.paid_at)                  AS "PAY_TIME",
    stamp(p.paid_at + INTERVAL 1 DAY)     AS "DATA_TIMESTAMP",
    data_key('920', p.lot, p.place)       AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM follow_up.payments AS p
JOIN world.lots AS l ON l.lot = p.lot
LEFT JOIN world.firms AS f ON f.firm = p.payee
