-- One record per lot that failed (招标异常情况报告).
SELECT
    l.opening_at + INTERVAL 1 DAY         AS known_at,
    stream_of(l.channel)                  AS stream,
    l.lot,
    0                                     AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    '1'                                   AS "EXCEPITON_TYPE",
    '投标人少于三个，本次招标失败'        AS "EXCEPITON_REASON",
    stamp(l.opening_at + INTERVAL 1 DAY)  AS "DATA_TIMESTAMP",
    data_key('517', l.lot, 0)             AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.lots AS l
WHERE l.status = 'failed' AND l.channel <> 'sheet'
