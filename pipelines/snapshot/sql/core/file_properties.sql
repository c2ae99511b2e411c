-- core.file_properties: one row per property that a document states about itself. Key: file_sha, property_no.
-- property: author, last_modified_by, company, application, template, producer, title, created_at, modified_at,
-- document_id, installation_id. value: a token ('h1:...') for author and last_modified_by, else text.
-- What a program fills in by itself (Administrator, 微软用户) stands for nobody and is no row.
CREATE TABLE core.file_properties AS
SELECT file_sha, property_no, property, value, raw_sha, raw_section, raw_row
FROM stage.file_properties
WHERE value IS NOT NULL
ORDER BY file_sha, property_no;
