-- The same with the reason of lots that failed although enough had bid.
SELECT r.* REPLACE (
    CASE WHEN f.first IS NULL THEN r."EXCEPITON_REASON" ELSE '投诉成立，本次招标失败，重新招标' END AS "EXCEPITON_REASON"
)
FROM ({record}) AS r
LEFT JOIN follow_up.rounds AS f ON f.first = r.lot
