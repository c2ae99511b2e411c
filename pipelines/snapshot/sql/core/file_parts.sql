-- core.file_parts: one row per page (pdf), paragraph (docx), filled row (xlsx) or line (text). Key:
-- file_sha, part_no (from 1, in reading order). place: where a person finds it.
-- text: as in the file; '' for a page without text. Identity numbers, phones, e-mail addresses and account
-- numbers in it are tokens ('h1:...', the same number gives the same token); names of persons are not.
CREATE TABLE core.file_parts AS
SELECT file_sha, part_no, place, coalesce(text, '') AS text, raw_sha, raw_section, raw_row
FROM stage.file_parts
ORDER BY file_sha, part_no;
