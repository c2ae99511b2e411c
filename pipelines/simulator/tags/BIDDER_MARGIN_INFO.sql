-- One record per deposit (投标保证金), by transfer or as a guarantee.
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    b.deposit_form                        AS "MARGIN_PAY_FORM",
    CASE b.deposit_form WHEN '电子保函' THEN '样例保险' ELSE '样例银行' END AS "MARGIN_BANK",
    account(b.account)                    AS "MARGIN_ACCOUNT",
    amount(b.deposit_fen, FALSE)          AS "MARGIN_PAY",
    stamp(b.deposited_at)                 AS "MARGIN_RECEIVE_TIME",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('902', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
WHERE b.has_traces AND b.deposit_form IS NOT NULL
