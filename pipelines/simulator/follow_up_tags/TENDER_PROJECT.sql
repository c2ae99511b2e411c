-- The same with the day of the notice (NOTICE_SEND_TIME: this centre's own column here).
SELECT r.* EXCLUDE ("DATA_TIMESTAMP", "DATA_KEY", "TITLE/DATA_TYPE"),
    stamp_day(n.published_on)             AS "NOTICE_SEND_TIME",
    r."DATA_TIMESTAMP", r."DATA_KEY", r."TITLE/DATA_TYPE"
FROM ({record}) AS r
LEFT JOIN follow_up.notices AS n ON n.lot = r.lot
