-- The same with registered address and e-mail; agencies have an e-mail, buyers none.
SELECT r.* EXCLUDE ("DATA_TIMESTAMP", "DATA_KEY", "TITLE/DATA_TYPE"),
    g.address                             AS "REGISTER_ADDRESS",
    CASE r.lot WHEN 0 THEN g.mail WHEN 1 THEN mail('agency' || r.firm) END AS "EMAIL",
    r."DATA_TIMESTAMP", r."DATA_KEY", r."TITLE/DATA_TYPE"
FROM ({record}) AS r
LEFT JOIN follow_up.registered AS g ON r.lot = 0 AND g.firm = r.firm
