-- One record per expert and bid that got points (评标明细), known with the result.
SELECT
    b.shown_at                            AS known_at,
    b.stream,
    b.lot,
    b.firm * 100 + e.expert % 60          AS firm,
    b.lot_id                              AS "BID_SECTION_CODE",
    person_name(e.expert)                 AS "EXPERT_NAME",
    person_id(e.expert)                   AS "ID_CARD",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    CAST(e.points AS VARCHAR)             AS "EXPERT_SCORE",
    stamp(b.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('915', b.lot, b.firm * 100 + e.expert % 60) AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.written_bids AS b
JOIN follow_up.expert_scores AS e ON e.lot = b.lot AND e.firm = b.firm
