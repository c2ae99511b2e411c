-- core.bid_files: one row per lot, owner and file. Key: lot_id, bidder_id, kind, file_hash.
-- kind: 'bid', 'tender' (the buyer's own document; bidder_id is then NULL) or 'template' (lot_id NULL: it
-- stands behind every lot). file_hash: MD5 or SHA-256 as the index states it, lower case.
-- file_sha: SHA-256 of the file with this hash; NULL where it has not come, was refused, or where two
-- different files have this MD5. Two hashes of one file are one row.
CREATE TABLE core.bid_files AS
WITH by_md5 AS (
    SELECT file_md5, min(file_sha) AS file_sha
    FROM stage.files
    GROUP BY file_md5
    HAVING count(*) = 1
),
found AS (
    SELECT nullif(b.lot_id, '') AS lot_id, CASE WHEN b.kind = 'bid' THEN p.party_id END AS bidder_id,
           b.kind, b.file_name,
           lower(b.file_hash) AS file_hash, coalesce(s.file_sha, m.file_sha) AS file_sha,
           b.raw_sha, b.raw_section, b.raw_row
    FROM stage.bid_files AS b
    LEFT JOIN stage.party_links AS p ON p.party = b.bidder
    LEFT JOIN stage.files AS s ON s.file_sha = lower(b.file_hash)
    LEFT JOIN by_md5 AS m ON m.file_md5 = lower(b.file_hash)
),
ranked AS (
    SELECT *,
           row_number() OVER (
               PARTITION BY lot_id, bidder_id, kind, coalesce(file_sha, file_hash)
               ORDER BY length(file_hash) DESC, raw_sha, raw_section, raw_row
           ) AS place
    FROM found
)
SELECT lot_id, bidder_id, kind, file_name, file_hash, file_sha, raw_sha, raw_section, raw_row
FROM ranked
WHERE place = 1
ORDER BY lot_id NULLS FIRST, bidder_id NULLS FIRST, kind, file_hash;
