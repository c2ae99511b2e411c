-- Firms, buyers, agencies, rings and bans, from the rows that `county` registered.
-- Organisation numbers (identity.sql): buyers from 0, agencies from 200,000, firms from 1,000,000.
INSERT INTO world.firms BY NAME
SELECT *, credit_code('91', region_code, 1000000 + firm) AS code FROM firm_rows ORDER BY firm;

INSERT INTO world.buyers BY NAME
SELECT *, credit_code('12', region_code, buyer) AS code FROM buyer_rows ORDER BY buyer;

INSERT INTO world.agencies BY NAME
SELECT *, credit_code('91', region_code, 200000 + agency) AS code, phone(agency_phone_number(agency)) AS phone
FROM agency_rows ORDER BY agency;

INSERT INTO world.rings BY NAME SELECT * FROM ring_rows ORDER BY ring;

INSERT INTO world.bans BY NAME
SELECT
    row_number() OVER (ORDER BY firm) - 1 AS ban,
    firm,
    'YLHMD' || strftime(starts_on, '%Y') || '-' || lpad(CAST(firm AS VARCHAR), 7, '0') AS record_no,
    '样罚〔' || strftime(starts_on, '%Y') || '〕' || firm || '号' AS decision_no,
    '样例：串通投标' AS reason,
    '禁止参加依法必须进行招标的项目的投标' AS action,
    '样例监督局' AS issuer,
    starts_on, ends_on,
    CAST(starts_on AS TIMESTAMP) + INTERVAL 9 HOURS AS decided_at,
    CASE WHEN withdrawn > 0 THEN CAST(DATE '1970-01-01' + withdrawn AS TIMESTAMP) + INTERVAL 9 HOURS END AS withdrawn_at
FROM (
    SELECT CAST(firm AS INTEGER) AS firm, DATE '1970-01-01' + starts AS starts_on, DATE '1970-01-01' + ends AS ends_on,
           withdrawn
    FROM ban_rows
)
ORDER BY firm;
