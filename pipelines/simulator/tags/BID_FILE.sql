-- One record per document and owner (投标文件索引): whose file in inbox/bid_files has which content.
WITH first AS (
    SELECT min(opening_at) AS opening_at FROM world.lots
)
SELECT
    bids_known_at(coalesce(l.opening_at, t.opening_at)) AS known_at,
    coalesce(stream_of(l.channel), 'xml') AS stream,
    p.lot,
    p.firm,
    l.lot_id                              AS "BID_SECTION_CODE",
    p.kind                                AS "FILE_KIND",
    b.bidder_name                         AS "BIDDER_NAME",
    b.bidder_code                         AS "BIDDER_ORG_CODE",
    p.name                                AS "FILE_NAME",
    p.hash                                AS "FILE_HASH",
    stamp(bids_known_at(coalesce(l.opening_at, t.opening_at))) AS "DATA_TIMESTAMP",
    data_key('909', p.lot + 1, p.firm + 1) AS "DATA_KEY",
    '1'                                   AS "TITLE/DATA_TYPE"
FROM world.papers AS p
CROSS JOIN first AS t
LEFT JOIN world.lots AS l ON l.lot = p.lot
LEFT JOIN world.written_bids AS b ON b.lot = p.lot AND b.firm = p.firm
