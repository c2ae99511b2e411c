-- One record per deposit (投标保证金), by transfer or as a guarantee.
SELECT
    bids_known_at(l.opening_at)           AS known_at,
    stream_of(l.channel)                  AS stream,
    b.lot,
    b.firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    written_name(f.name, f.former_name, b.name_form) AS "BIDDER_NAME",
    written_code(f.code, substr(f.code, 9, 9), old_registration_number(f.firm), b.code_form) AS "BIDDER_ORG_CODE",
    b.deposit_form                        AS "MARGIN_PAY_FORM",
    CASE b.deposit_form WHEN '电子保函' THEN '样例保险' ELSE '样例银行' END AS "MARGIN_BANK",
    account(b.account)                    AS "MARGIN_ACCOUNT",
    amount(l.deposit_fen, FALSE)          AS "MARGIN_PAY",
    stamp(b.deposited_at)                 AS "MARGIN_RECEIVE_TIME",
    stamp(bids_known_at(l.opening_at))    AS "DATA_TIMESTAMP",
    data_key('902', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN world.firms AS f ON f.firm = b.firm
WHERE l.has_traces AND l.channel <> 'sheet' AND b.deposit_form IS NOT NULL
