-- core.files: one row per document that was read and may be shown. Key: file_sha.
-- form: docx, pdf, xlsx or text. parts_without_text: pages of a PDF without any text (scanned: nothing in
-- them was compared); always 0 in the other forms.
CREATE TABLE core.files AS
SELECT file_sha, file_md5, form, parts, parts_without_text, images, raw_sha, raw_section, raw_row
FROM stage.files
ORDER BY file_sha;
