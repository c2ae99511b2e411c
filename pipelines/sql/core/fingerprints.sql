-- core.fingerprints: one row per machine trace of a file; lists in one field are taken apart, every
-- combination of a file's MAC, CPU and disk codes being one row.
-- Key: lot_id, bidder_id, purpose, file_ref, mac, cpu_id, disk_serial, dongle.
-- owner: 'bidder' or 'buyer' (the tender document's own files; bidder_id is then NULL).
-- mac: upper case hex pairs without separators. mac_is_local: the locally administered bit is
-- set (second hex digit 2, 3, 6, 7, A, B, E, F): a virtual adapter, not a network card (IEEE 802).
CREATE TABLE core.fingerprints AS
WITH macs AS (
    SELECT s.* EXCLUDE (mac), unnest(string_split(coalesce(s.mac, ''), ';')) AS mac FROM stage.fingerprints AS s
),
cpus AS (
    SELECT m.* EXCLUDE (cpu_id), unnest(string_split(coalesce(m.cpu_id, ''), ';')) AS cpu_id FROM macs AS m
),
disks AS (
    SELECT c.* EXCLUDE (disk_serial), unnest(string_split(coalesce(c.disk_serial, ''), ';')) AS disk_serial
    FROM cpus AS c
),
dongles AS (
    SELECT d.* EXCLUDE (dongle), unnest(string_split(coalesce(d.dongle, ''), ';')) AS dongle FROM disks AS d
),
single AS (
    SELECT lot_id, bidder, owner, purpose, file_ref, file_name, file_md5, created_id, submitted_at,
           coalesce(is_on_site, FALSE) AS is_on_site,
           nullif(regexp_replace(upper(trim(mac)), '[^0-9A-Z]', '', 'g'), '') AS mac,
           nullif(trim(cpu_id), '') AS cpu_id, nullif(trim(disk_serial), '') AS disk_serial,
           memory_serial, nullif(trim(dongle), '') AS dongle, ip, raw_sha, raw_section, raw_row
    FROM dongles
)
SELECT s.lot_id, p.party_id AS bidder_id, s.owner, s.purpose, s.file_ref, s.file_name, s.file_md5,
       s.created_id, s.submitted_at, s.is_on_site,
       s.mac, coalesce(substr(s.mac, 2, 1) IN ('2', '3', '6', '7', 'A', 'B', 'E', 'F'), FALSE) AS mac_is_local,
       s.cpu_id, s.disk_serial, s.memory_serial, s.dongle, s.ip, s.raw_sha, s.raw_section, s.raw_row
FROM single AS s
LEFT JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY s.lot_id, p.party_id NULLS FIRST, s.purpose, s.file_ref, s.raw_sha, s.raw_section, s.raw_row, s.mac NULLS LAST,
         s.cpu_id NULLS LAST, s.disk_serial NULLS LAST, s.dongle NULLS LAST;
