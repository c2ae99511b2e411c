-- core.file_images: one row per place where an image stands. Key: file_sha, image_no.
-- image_sha: SHA-256 of the image's bytes as the file keeps them: the same picture saved again has another.
-- width, height: pixels, NULL where they cannot be told.
CREATE TABLE core.file_images AS
SELECT file_sha, image_no, place, image_sha, bytes, width, height, raw_sha, raw_section, raw_row
FROM stage.file_images
ORDER BY file_sha, image_no;
