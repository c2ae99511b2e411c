-- Nothing about those who take part is shown before the opening (招标投标法 §22), and no expert before the result (§37).
-- zh: 开标前不出现任何投标人信息，结果公示前不出现评标专家
WITH taking_part AS (
    SELECT lot_id FROM stage.bids WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.bid_members WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.candidates WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.deposits WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.document_purchases WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.fingerprints WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.people WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.scores WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.opening_draws WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.priced_items WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.stated_certificates WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.claimed_works WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.failures WHERE NOT is_public
    UNION ALL
    SELECT lot_id FROM stage.bid_files WHERE NOT is_public AND lot_id <> ''
),
opened AS (
    SELECT lot_id FROM stage.openings WHERE public_at < (SELECT cutoff FROM stage.night)
),
decided AS (
    SELECT lot_id FROM stage.awards WHERE awarded_on < (SELECT cutoff FROM stage.night)
),
documents AS (
    SELECT file_sha FROM stage.files WHERE NOT is_public
    UNION ALL
    SELECT file_sha FROM stage.file_parts WHERE NOT is_public
    UNION ALL
    SELECT file_sha FROM stage.file_properties WHERE NOT is_public
    UNION ALL
    SELECT file_sha FROM stage.file_images WHERE NOT is_public
),
named AS (
    SELECT lower(file_hash) AS file_hash
    FROM stage.bid_files
    WHERE is_public OR lot_id = '' OR lot_id IN (SELECT lot_id FROM opened)
),
owned AS (
    SELECT file_sha FROM stage.files WHERE file_sha IN (SELECT file_hash FROM named)
    UNION ALL
    SELECT file_sha FROM stage.files WHERE file_md5 IN (SELECT file_hash FROM named)
)
SELECT (SELECT count(*) FROM taking_part WHERE lot_id NOT IN (SELECT lot_id FROM opened))
     + (SELECT count(*) FROM stage.experts
        WHERE NOT is_public AND lot_id NOT IN (SELECT lot_id FROM decided))
     + (SELECT count(*) FROM stage.expert_scores
        WHERE NOT is_public AND lot_id NOT IN (SELECT lot_id FROM decided))
     + (SELECT count(*) FROM documents WHERE file_sha NOT IN (SELECT file_sha FROM owned)) AS violations;
