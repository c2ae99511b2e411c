-- The same with the region of the office.
SELECT r.* EXCLUDE ("DATA_TIMESTAMP", "DATA_KEY", "TITLE/DATA_TYPE"),
    f.region_code                         AS "GOVERNMENT_REGION_CODE",
    r."DATA_TIMESTAMP", r."DATA_KEY", r."TITLE/DATA_TYPE"
FROM ({record}) AS r
JOIN world.bans AS n ON n.ban = r.firm
JOIN world.firms AS f ON f.firm = n.firm
