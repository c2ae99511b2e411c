-- Every file that the index of bid files names has come and could be read.
-- zh: 投标文件索引所列文件均已收到并可读取
-- warning
SELECT count(*) AS violations FROM core.bid_files WHERE file_sha IS NULL;
