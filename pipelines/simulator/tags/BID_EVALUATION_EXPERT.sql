-- One record per seat on an evaluation committee (评标专家), known with the result.
SELECT
    l.shown_at                            AS known_at,
    stream_of(l.channel)                  AS stream,
    e.lot,
    e.seat                                AS firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    person_name(e.expert)                 AS "EXPERT_NAME",
    person_id(e.expert)                   AS "ID_CARD",
    CASE WHEN e.is_chair THEN '1' ELSE '0' END AS "IS_CHAIR_MAN",
    stamp(l.shown_at)                     AS "DATA_TIMESTAMP",
    data_key('508', e.lot, e.seat)        AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.experts AS e
JOIN world.lots AS l ON l.lot = e.lot
WHERE l.is_electronic AND l.shown_at IS NOT NULL AND l.channel <> 'sheet'
