-- What bids say beside their price: e-mail, who paid for guarantees, certificates, earlier works.

-- Who leaves a trace of which kind in which lot.
CREATE TABLE follow_up.leaks AS
SELECT s.lot, s.firm, s.ring, h.what
FROM follow_up.seats AS s
JOIN follow_up.habits AS h ON h.ring = s.ring
JOIN world.lots AS l ON l.lot = s.lot
WHERE l.is_electronic AND l.channel <> 'sheet' AND luck('leak ' || h.what, s.lot, s.ring) < s.leak_share
QUALIFY count(*) OVER (PARTITION BY s.lot, s.ring, h.what) > 1;

-- The team's mailbox: the firm's own; that of a service company of its customers, one of two in each county; that
-- of the agency, which typed it for everybody.
CREATE TABLE follow_up.mails AS
SELECT b.lot, b.firm,
    CASE WHEN k.lot IS NOT NULL THEN mail('bids' || k.ring)
         WHEN l.is_typed THEN mail('agency' || l.agency) ELSE f.team_mail END AS mail,
    k.ring
FROM world.bids AS b
JOIN (SELECT *, luck('agency types', lot, 0) < 0.004 AS is_typed FROM world.lots) AS l ON l.lot = b.lot
JOIN follow_up.registered AS f ON f.firm = b.firm
LEFT JOIN follow_up.leaks AS k ON k.lot = b.lot AND k.firm = b.firm AND k.what = 'same_email'
WHERE l.is_electronic AND l.channel <> 'sheet' AND b.leader >= 0
ORDER BY b.lot, b.firm;

INSERT INTO world.links
SELECT lot, CASE WHEN ring IS NULL THEN 'service_mail' ELSE 'same_email' END, coalesce(ring, -1), list(firm ORDER BY firm),
       ring IS NULL, CASE WHEN ring IS NULL THEN 'mailbox of a bidding service, or of the agency' ELSE '' END
FROM follow_up.mails
GROUP BY lot, mail, ring HAVING count(*) > 1
ORDER BY lot, mail;

-- Guarantees, from accounts of the firms themselves, of a salesman with many customers, or, by mistake, the insurer's.
-- A ring's account is 2^31 + its number.
CREATE TABLE follow_up.guarantees AS
SELECT b.lot, b.firm, k.ring,
    CASE WHEN k.lot IS NOT NULL THEN (CAST(1 AS BIGINT) << 31) + k.ring
         WHEN luck('insurer''s own', b.lot, b.firm) < 0.02 THEN -2
         ELSE f.payer END AS payer
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN follow_up.registered AS f ON f.firm = b.firm
LEFT JOIN follow_up.leaks AS k ON k.lot = b.lot AND k.firm = b.firm AND k.what = 'guarantee_payer'
WHERE l.has_traces AND l.channel <> 'sheet' AND b.deposit_form = '电子保函'
ORDER BY b.lot, b.firm;

INSERT INTO world.links
SELECT lot, CASE WHEN ring IS NULL THEN 'guarantee_salesman' ELSE 'guarantee_payer' END, coalesce(ring, -1),
       list(firm ORDER BY firm), ring IS NULL, CASE WHEN ring IS NULL THEN 'one salesman paid for his customers' ELSE '' END
FROM follow_up.guarantees
WHERE payer >= (CAST(1 AS BIGINT) << 31)
GROUP BY lot, payer, ring HAVING count(*) > 1
ORDER BY lot, payer;

-- Certificates are stated in the housing system's bids for works. Ringmates lend theirs.
CREATE TABLE follow_up.stated AS
WITH lender AS (
    SELECT lot, ring, min(firm) AS firm FROM follow_up.leaks WHERE what = 'borrowed_certificate' GROUP BY lot, ring
)
SELECT b.lot, b.firm, k.ring, coalesce(c.certificate_no, o.certificate_no) AS certificate_no,
       coalesce(c.kind, o.kind) AS kind, coalesce(c.level, o.level) AS level
FROM world.bids AS b
JOIN world.lots AS l ON l.lot = b.lot
JOIN (SELECT firm, any_value(certificate_no) AS certificate_no, any_value(kind) AS kind, any_value(level) AS level
      FROM follow_up.certificates GROUP BY firm) AS o ON o.firm = b.firm
LEFT JOIN follow_up.leaks AS k ON k.lot = b.lot AND k.firm = b.firm AND k.what = 'borrowed_certificate'
LEFT JOIN lender AS d ON d.lot = k.lot AND d.ring = k.ring AND d.firm <> b.firm
LEFT JOIN (SELECT firm, any_value(certificate_no) AS certificate_no, any_value(kind) AS kind, any_value(level) AS level
           FROM follow_up.certificates GROUP BY firm) AS c ON c.firm = d.firm
WHERE is_of_housing(l.project_type) AND l.class_code = 'A08' AND l.is_electronic AND l.channel <> 'sheet'
ORDER BY b.lot, b.firm;

INSERT INTO world.links
SELECT lot, 'borrowed_certificate', ring, list(firm ORDER BY firm), FALSE, 'the bids state the certificate of one of them'
FROM follow_up.stated WHERE ring IS NOT NULL
GROUP BY lot, ring ORDER BY lot, ring;

INSERT INTO world.links
SELECT s.lot, what, -1, list(s.firm ORDER BY s.firm), TRUE,
       CASE what WHEN 'taken_over' THEN 'the certificate was taken over and not entered anew' ELSE 'the renewal came late' END
FROM (
    SELECT s.lot, s.firm,
        CASE WHEN bool_or(c.is_taken_over) THEN 'taken_over'
             WHEN NOT bool_or(CAST(l.opening_at AS DATE) BETWEEN c.starts_on AND c.ends_on) THEN 'late_renewal' END AS what
    FROM follow_up.stated AS s
    JOIN world.lots AS l ON l.lot = s.lot
    JOIN follow_up.certificates AS c ON c.firm = s.firm
    GROUP BY s.lot, s.firm
) AS s
WHERE what IS NOT NULL
GROUP BY s.lot, what
ORDER BY s.lot, what;

-- Earlier works of this market, the bidder's latest, where they win points. Ringmates claim one of another member; a
-- few honest claims have a wrong year.
CREATE TABLE follow_up.claims AS
WITH won AS (
    SELECT winner AS firm, lot, lot_id, lot_name, signed_at, contract_fen
    FROM world.lots
    WHERE signed_at IS NOT NULL AND is_electronic AND channel <> 'sheet'
    QUALIFY row_number() OVER (PARTITION BY winner, signed_at ORDER BY lot) = 1
),
asked AS (
    SELECT b.lot, b.firm, l.opening_at, luck('wrong year', b.lot, b.firm) < 0.003 AS is_mistyped, k.ring, coalesce(m.firm, b.firm) AS claimed_of
    FROM world.bids AS b
    JOIN world.lots AS l ON l.lot = b.lot
    LEFT JOIN follow_up.leaks AS k ON k.lot = b.lot AND k.firm = b.firm AND k.what = 'claimed_work'
    LEFT JOIN (SELECT lot, ring, min(firm) AS firm FROM follow_up.leaks WHERE what = 'claimed_work' GROUP BY ALL) AS m
        ON m.lot = k.lot AND m.ring = k.ring
    WHERE b.other_score IS NOT NULL AND l.is_electronic AND l.channel <> 'sheet'
)
SELECT a.lot, a.firm, a.ring, w.firm AS done_by, w.lot AS claimed_lot, w.lot_id AS claimed_lot_id, w.lot_name,
       w.contract_fen AS price_fen,
       a.is_mistyped, CAST(w.signed_at AS DATE) - CASE WHEN a.is_mistyped THEN 365 ELSE 0 END AS signed_on
FROM asked AS a
ASOF JOIN won AS w ON w.firm = a.claimed_of AND w.signed_at < a.opening_at
ORDER BY a.lot, a.firm;

INSERT INTO world.links
SELECT lot, 'claimed_work', ring, list(firm ORDER BY firm), FALSE, 'the bids claim a work of another member'
FROM follow_up.claims WHERE ring IS NOT NULL AND done_by <> firm
GROUP BY lot, ring ORDER BY lot, ring;

INSERT INTO world.links
SELECT lot, 'mistyped_work', -1, list(firm ORDER BY firm), TRUE, 'a wrong year was typed'
FROM follow_up.claims WHERE is_mistyped AND (ring IS NULL OR done_by = firm)
GROUP BY lot ORDER BY lot;
