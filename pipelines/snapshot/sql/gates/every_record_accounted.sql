-- Every record is accounted for: for each file, records = loaded + duplicate + refused.
-- zh: 每条记录均有去向：各文件记录数 = 入库 + 重复 + 拒收
SELECT count(*) AS violations
FROM stage.accounts
WHERE records <> loaded + duplicate + refused;
