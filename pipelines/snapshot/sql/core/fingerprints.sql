-- core.fingerprints: one row per machine trace of a file. Lists in one field are taken apart: lists of
-- one length belong together place by place (one record a machine), a single code belongs to every
-- place; lists of different lengths say nothing of what belongs together, so every combination is a row.
-- Key: lot_id, bidder_id, purpose, file_ref, mac, cpu_id, disk_serial, dongle.
-- owner: 'bidder' or 'buyer' (the tender document's own files; bidder_id is then NULL).
-- mac: upper case hex pairs without separators. mac_is_local: the locally administered bit is
-- set (second hex digit 2, 3, 6, 7, A, B, E, F): a virtual adapter, not a network card (IEEE 802).
CREATE TABLE core.fingerprints AS
WITH split AS (
    SELECT f.* EXCLUDE (mac, cpu_id, disk_serial, dongle),
           string_split(coalesce(f.mac, ''), ';')         AS macs,
           string_split(coalesce(f.cpu_id, ''), ';')      AS cpus,
           string_split(coalesce(f.disk_serial, ''), ';') AS disks,
           string_split(coalesce(f.dongle, ''), ';')      AS dongles
    FROM stage.fingerprints AS f
),
counted AS (
    SELECT *, greatest(len(macs), len(cpus), len(disks), len(dongles)) AS records FROM split
),
judged AS (
    SELECT *,
           len(macs) IN (1, records) AND len(cpus) IN (1, records)
               AND len(disks) IN (1, records) AND len(dongles) IN (1, records) AS is_aligned
    FROM counted
),
aligned AS (
    SELECT *, unnest(range(1, records + 1)) AS place FROM judged WHERE is_aligned
),
taken AS (
    SELECT * EXCLUDE (macs, cpus, disks, dongles, records, is_aligned, place),
           macs[least(place, len(macs))]       AS mac,
           cpus[least(place, len(cpus))]       AS cpu_id,
           disks[least(place, len(disks))]     AS disk_serial,
           dongles[least(place, len(dongles))] AS dongle
    FROM aligned
    UNION ALL
    SELECT j.* EXCLUDE (macs, cpus, disks, dongles, records, is_aligned),
           m.mac, c.cpu_id, d.disk_serial, k.dongle
    FROM judged AS j, unnest(j.macs) AS m (mac), unnest(j.cpus) AS c (cpu_id), unnest(j.disks) AS d (disk_serial),
         unnest(j.dongles) AS k (dongle)
    WHERE NOT j.is_aligned
),
single AS (
    SELECT lot_id, bidder, owner, purpose, file_ref, file_name, file_md5, created_id, submitted_at,
           coalesce(is_on_site, FALSE) AS is_on_site,
           nullif(regexp_replace(upper(trim(mac)), '[^0-9A-Z]', '', 'g'), '') AS mac,
           nullif(trim(cpu_id), '') AS cpu_id, nullif(trim(disk_serial), '') AS disk_serial,
           memory_serial, nullif(trim(dongle), '') AS dongle, ip, raw_sha, raw_section, raw_row
    FROM taken
)
SELECT s.lot_id, p.party_id AS bidder_id, s.owner, s.purpose, s.file_ref, s.file_name, s.file_md5,
       s.created_id, s.submitted_at, s.is_on_site,
       s.mac, coalesce(substr(s.mac, 2, 1) IN ('2', '3', '6', '7', 'A', 'B', 'E', 'F'), FALSE) AS mac_is_local,
       s.cpu_id, s.disk_serial, s.memory_serial, s.dongle, s.ip, s.raw_sha, s.raw_section, s.raw_row
FROM single AS s
LEFT JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY s.lot_id, p.party_id NULLS FIRST, s.purpose, s.file_ref, s.raw_sha, s.raw_section, s.raw_row, s.mac NULLS LAST,
         s.cpu_id NULLS LAST, s.disk_serial NULLS LAST, s.dongle NULLS LAST;
