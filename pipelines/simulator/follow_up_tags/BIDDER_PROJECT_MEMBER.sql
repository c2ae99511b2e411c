-- The same with the team's mailbox.
SELECT r.* EXCLUDE ("DATA_TIMESTAMP", "DATA_KEY", "TITLE/DATA_TYPE"),
    m.mail                                AS "EMAIL",
    r."DATA_TIMESTAMP", r."DATA_KEY", r."TITLE/DATA_TYPE"
FROM ({record}) AS r
LEFT JOIN follow_up.mails AS m ON m.lot = r.lot AND m.firm = r.firm
