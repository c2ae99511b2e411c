-- core.failures: one row per lot and kind of abnormal report. Key: lot_id, kind.
-- kind: failed (流标), terminated (终止), withdrawn (公告撤销), other. reason: as delivered.
CREATE TABLE core.failures AS
SELECT lot_id, kind, reason, raw_sha, raw_section, raw_row
FROM stage.failures
ORDER BY lot_id, kind;
