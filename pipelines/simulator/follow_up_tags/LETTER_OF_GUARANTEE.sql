-- One record per guarantee in place of a deposit (投标保函), with the account that paid for it.
SELECT
    b.known_at,
    b.stream,
    b.lot,
    b.firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    'YLBH' || lpad(CAST(b.lot AS VARCHAR), 7, '0') || lpad(CAST(b.firm AS VARCHAR), 7, '0') AS "GUARANTEE_NO",
    '样例保险'                            AS "INSURER",
    account(g.payer)                      AS "PAYER_ACCOUNT",
    amount(b.deposit_fen, FALSE)          AS "GUARANTEE_AMOUNT",
    stamp(b.deposited_at)                 AS "PAYMENT_TIME",
    stamp(b.known_at)                     AS "DATA_TIMESTAMP",
    data_key('910', b.lot, b.firm)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
JOIN follow_up.guarantees AS g ON g.lot = b.lot AND g.firm = b.firm
