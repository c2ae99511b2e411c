-- core.tenders: one row per tender. Key: tender_id. Times UTC.
CREATE TABLE core.tenders AS
SELECT tender_id, project_id, tender_name, project_type, procurement_regime, is_legally_mandatory,
       tender_mode, award_method, buyer_code, buyer_name, agency_code, agency_name,
       supervisor_code, supervisor_name, region_code, opening_at, published_on, raw_sha, raw_section, raw_row
FROM stage.tenders
ORDER BY tender_id;
