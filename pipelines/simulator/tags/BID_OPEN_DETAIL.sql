-- One record per lot whose rule draws something or has a benchmark price (摇球明细). BENCHMARK_PRICE is in 元.
SELECT
    scores_known_at(l.opening_at)         AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    l.balls                               AS "ROLL_BALL_LIST",
    l.draws                               AS "VALUE_RESULT",
    amount(round(l.benchmark_fen), FALSE) AS "BENCHMARK_PRICE",
    stamp(scores_known_at(l.opening_at))  AS "DATA_TIMESTAMP",
    data_key('906', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
WHERE l.channel <> 'sheet' AND (l.draws IS NOT NULL OR l.balls IS NOT NULL OR l.benchmark_fen IS NOT NULL)
