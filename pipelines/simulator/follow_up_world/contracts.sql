-- What becomes of contracts: site staff and their insurance, changes, acceptance, payments.
CREATE TABLE follow_up.contracts AS
SELECT l.lot, l.buyer, l.winner AS firm, b.partner, b.manager, b.leader, b.ring, l.class_code, l.regime, l.subcontractor,
       l.signed_at, l.contract_fen, b.duration_days,
       l.signed_at + to_days(CAST(b.duration_days * (0.9 + 0.45 * luck('how long it took', l.lot, 0)) AS INTEGER)) AS accepted_at
FROM world.lots AS l
JOIN world.bids AS b ON b.lot = l.lot AND b.firm = l.winner
WHERE l.signed_at IS NOT NULL AND l.is_electronic AND l.channel <> 'sheet';

-- Site staff of works; of other lots the head alone. A ring that passes its work on has the staff of the member who does it.
CREATE TABLE follow_up.lent AS
SELECT c.lot, s.ring, min(s.firm) AS doer
FROM follow_up.contracts AS c
JOIN follow_up.seats AS s ON s.lot = c.lot AND s.ring = c.ring AND s.firm <> c.firm
WHERE s.tactic IN ('payback', 'cover_bids', 'rotation') AND luck('lent staff', c.lot, s.ring) < 0.5 * s.leak_share
GROUP BY c.lot, s.ring;

CREATE TABLE follow_up.members AS
SELECT c.lot, c.firm, p.role,
       CASE p.role WHEN '项目负责人' THEN c.manager WHEN '技术负责人' THEN c.leader
                   WHEN '质量负责人' THEN coalesce(t.doer, c.firm) * 16 + 13 ELSE coalesce(t.doer, c.firm) * 16 + 14 END AS person,
       CASE WHEN p.role IN ('质量负责人', '安全负责人') THEN coalesce(t.doer, c.firm) ELSE c.firm END AS employer
FROM follow_up.contracts AS c
CROSS JOIN (VALUES ('项目负责人'), ('技术负责人'), ('质量负责人'), ('安全负责人')) AS p (role)
LEFT JOIN follow_up.lent AS t ON t.lot = c.lot
WHERE c.class_code = 'A08' OR (c.regime = 'construction' AND p.role = '项目负责人')
ORDER BY c.lot, p.role;

INSERT INTO world.links
SELECT t.lot, 'lent_staff', t.ring, [c.firm], FALSE, 'site staff of another member of the ring'
FROM follow_up.lent AS t JOIN follow_up.contracts AS c ON c.lot = t.lot
WHERE c.class_code = 'A08'
ORDER BY t.lot;

-- Who is insured where, from when to when. One person in a thousand is retired and works by contract; one in fifty has
-- a gap of some weeks. Managers whom a ring shares are insured by its first member.
CREATE TABLE follow_up.insured AS
WITH staff AS (
    SELECT DISTINCT CASE WHEN m.person BETWEEN 14000000 AND 14999999 THEN r.members[1] ELSE m.employer END AS firm, m.person
    FROM follow_up.members AS m
    LEFT JOIN world.rings AS r ON m.person BETWEEN 14000000 AND 14999999 AND r.ring = (m.person - 14000000) // 8
    UNION
    SELECT firm, firm * 16 + 8 FROM follow_up.contracts
),
spells AS (
    SELECT s.firm, s.person,
           greatest(f.registered_on, DATE '2019-01-01' + CAST(floor(1500 * luck('hired', s.firm, s.person)) AS INTEGER)) AS hired_on,
           luck('gap in insurance', s.firm, s.person) < 0.02 AS has_gap,
           DATE '2024-07-01' + CAST(floor(700 * luck('day of the gap', s.firm, s.person)) AS INTEGER) AS left_on,
           luck_between('days without', s.firm, s.person, 20, 60) AS days
    FROM staff AS s JOIN world.firms AS f ON f.firm = s.firm
    WHERE luck('retired', s.person, 0) >= 0.001
)
SELECT firm, person, hired_on AS starts_on, CASE WHEN has_gap THEN left_on END AS ends_on FROM spells
UNION ALL
SELECT firm, person, left_on + days, NULL FROM spells WHERE has_gap
ORDER BY firm, person, starts_on;

INSERT INTO world.links
SELECT DISTINCT m.lot, 'uninsured_staff', -1, [m.firm], TRUE, 'retired, or insured again some weeks later'
FROM follow_up.members AS m
JOIN follow_up.contracts AS c ON c.lot = m.lot
LEFT JOIN follow_up.insured AS i ON i.firm = m.firm AND i.person = m.person
    AND CAST(c.signed_at AS DATE) BETWEEN i.starts_on AND coalesce(i.ends_on, DATE '9999-01-01')
WHERE i.firm IS NULL AND m.employer = m.firm AND m.person NOT BETWEEN 14000000 AND 14999999
ORDER BY m.lot;

-- Changes of works contracts: most items grow a little, some shrink; scopes change in one lot of a hundred. A firm
-- that has the buyer on its side asks for more once it has won.
CREATE TABLE follow_up.changes AS
WITH changed AS (
    SELECT c.lot, c.ring, c.firm, c.contract_fen, c.signed_at, c.duration_days, k.place,
           s.lot IS NOT NULL AS is_rings, luck('scope', c.lot, 0) < 0.01 AS is_scope
    FROM follow_up.contracts AS c
    LEFT JOIN (
        SELECT DISTINCT lot, designated FROM follow_up.seats
        WHERE tactic = 'vertical' AND luck('asks for more', lot, ring) < 0.6 * leak_share
    ) AS s ON s.lot = c.lot AND s.designated = c.firm
    CROSS JOIN generate_series(1, 3) AS k (place)
    WHERE c.class_code = 'A08' AND (luck('changed', c.lot, 0) < 0.35 OR s.lot IS NOT NULL)
      AND k.place <= luck_between('number of changes', c.lot, 0, 1, 3)
),
sized AS (
    SELECT *, round(exp(6 + normal_luck('quantity', lot, place)), 1) AS quantity_before,
        0.01 + 0.05 * luck('part of the price', lot, place)
            + CASE WHEN place = 1 AND (is_rings OR is_scope) THEN 0.06 ELSE 0 END AS part,
        CASE WHEN place = 1 AND (is_rings OR is_scope) THEN 2 + 2 * luck('much more', lot, 0)
             WHEN luck('less', lot, place) < 0.25 THEN 0.3 + 0.6 * luck('how much less', lot, place)
             ELSE 1 + exp(-1.6 + 0.7 * normal_luck('how much more', lot, place)) END AS growth
    FROM changed
)
SELECT lot, ring, firm, place, is_rings, is_scope,
       ['土方开挖', '混凝土浇筑', '钢筋制作安装', '管道敷设', '路面铺装', '绿化种植'][1 + CAST(floor(6 * luck('item', lot, place)) AS INTEGER)] AS item,
       ['m3', 'm3', 't', 'm', 'm2', '株'][1 + CAST(floor(6 * luck('item', lot, place)) AS INTEGER)] AS unit,
       CAST(quantity_before AS DECIMAL(18, 1)) AS quantity_before,
       CAST(quantity_before * growth AS DECIMAL(18, 1)) AS quantity_after,
       CAST(round(contract_fen * part, -2) AS BIGINT) AS before_fen,
       CAST(round(contract_fen * part * growth, -2) AS BIGINT) AS after_fen,
       signed_at + to_days(CAST(duration_days * (0.2 + 0.6 * luck('when changed', lot, place)) AS INTEGER)) AS approved_at
FROM sized
ORDER BY lot, place;

INSERT INTO world.links
SELECT DISTINCT lot, 'raised_after_award', ring, [firm], FALSE, 'quantities raised for the firm that was to win'
FROM follow_up.changes WHERE is_rings ORDER BY lot;

INSERT INTO world.links
SELECT DISTINCT lot, 'scope_change', -1, [firm], TRUE, 'the scope was changed in due form'
FROM follow_up.changes WHERE is_scope AND NOT is_rings ORDER BY lot;

-- Acceptance, and what the work cost in the end; some are never delivered.
CREATE TABLE follow_up.settled AS
SELECT c.lot, c.accepted_at, c.accepted_at + to_days(luck_between('days of audit', c.lot, 0, 30, 150)) AS settled_at,
       CAST(round((c.contract_fen + coalesce(g.added_fen, 0)) * (1 + 0.01 * normal_luck('settlement', c.lot, 0)), -2) AS BIGINT) AS settled_fen,
       luck('acceptance lost', c.lot, 0) < 0.12 AS is_lost
FROM follow_up.contracts AS c
LEFT JOIN (SELECT lot, sum(after_fen - before_fen) AS added_fen FROM follow_up.changes GROUP BY lot) AS g ON g.lot = c.lot
ORDER BY c.lot;

-- Payments: an advance, three instalments as the work goes on, the rest after the settlement, the retention two years
-- after the acceptance. Buyers are late, each in its own way. One contract in 150 is in dispute, and of one in 100
-- the buyer stopped paying: that happens without any ring.
CREATE TABLE follow_up.payments AS
WITH habits AS (
    SELECT buyer, exp(0.5 * normal_luck('late buyer', buyer, 0)) AS slowness FROM world.buyers
),
owed AS (
    SELECT c.*, s.settled_fen, s.settled_at, y.slowness, luck('stopped', c.lot, 0) AS stopped,
           luck('claim sold', c.lot, 0) < 0.003 AS is_sold, luck('unreported', c.lot, 0) < 0.002 AS is_unreported,
           c.subcontractor >= 0 AND luck('paid to the subcontractor', c.lot, 0) < 0.3 AS is_paid_direct
    FROM follow_up.contracts AS c
    JOIN follow_up.settled AS s ON s.lot = c.lot
    JOIN habits AS y ON y.buyer = c.buyer
),
planned AS (
    SELECT o.*, t.place, o.slowness * (5 + 40 * luck('days late to pay', o.lot, t.place)) AS days_late,
           CASE WHEN o.stopped < 0.01 THEN 'unpaid_works' WHEN o.stopped < 0.0167 THEN 'disputed_payment' END AS trouble
    FROM owed AS o
    CROSS JOIN generate_series(1, 6) AS t (place)
),
dated AS (
    SELECT *, to_days(CAST(days_late AS INTEGER)) + CASE place
        WHEN 1 THEN signed_at
        WHEN 2 THEN signed_at + 0.3 * (accepted_at - signed_at)
        WHEN 3 THEN signed_at + 0.6 * (accepted_at - signed_at)
        WHEN 4 THEN accepted_at
        WHEN 5 THEN settled_at
        ELSE accepted_at + INTERVAL 730 DAYS END AS paid_at,
        CAST(round(CASE WHEN place <= 4 THEN 0.2 * contract_fen WHEN place = 5 THEN greatest(0.97 * settled_fen - 0.8 * contract_fen, 0.05 * contract_fen)
                        ELSE 0.03 * settled_fen END, -2) AS BIGINT) AS paid_fen
    FROM planned
    WHERE trouble IS NULL OR place <= 2
),
-- Where the money goes: the contractor, its partner, a reported subcontractor; a bank that bought the claim; a
-- subcontractor nobody reported; a loser of the ring, who is no subcontractor.
losers AS (
    SELECT s.lot, min(s.firm) AS firm
    FROM follow_up.seats AS s JOIN follow_up.contracts AS c ON c.lot = s.lot
    WHERE s.tactic = 'payback' AND s.firm NOT IN (s.designated, c.subcontractor)
      AND luck('paid directly', s.lot, s.ring) < 0.6 * s.leak_share
    GROUP BY s.lot
)
SELECT d.lot, d.firm, d.ring, d.place, d.paid_fen, date_trunc('day', d.paid_at) + INTERVAL 16 HOURS AS paid_at, d.trouble,
    CASE WHEN o.lot IS NOT NULL AND d.ring >= 0 AND d.place IN (3, 4) AND o.firm <> d.firm THEN o.firm
         WHEN d.place IN (3, 4) AND d.is_sold THEN -2
         WHEN d.place = 4 AND d.is_unreported THEN (d.firm + 7) % (SELECT count(*) FROM world.firms)
         WHEN d.place = 4 AND d.is_paid_direct THEN d.subcontractor
         WHEN d.place = 2 AND d.partner >= 0 THEN d.partner
         ELSE d.firm END AS payee,
    CASE WHEN o.lot IS NOT NULL AND d.ring >= 0 AND d.place IN (3, 4) AND o.firm <> d.firm THEN 'third_party_payment'
         WHEN d.place IN (3, 4) AND d.is_sold THEN 'claim_sold'
         WHEN d.place = 4 AND d.is_unreported THEN 'unreported_subcontract' END AS outside
FROM dated AS d
LEFT JOIN losers AS o ON o.lot = d.lot
ORDER BY d.lot, d.place;

INSERT INTO world.links
SELECT DISTINCT lot, outside, CASE WHEN outside = 'third_party_payment' THEN ring ELSE -1 END, [firm],
       outside <> 'third_party_payment',
       CASE outside WHEN 'third_party_payment' THEN 'the contract pays a loser of the ring' WHEN 'claim_sold' THEN 'the claim was sold to a bank'
                    ELSE 'a subcontractor that was not reported' END
FROM follow_up.payments WHERE outside IS NOT NULL ORDER BY lot, outside;

INSERT INTO world.links
SELECT DISTINCT lot, trouble, -1, [firm], trouble = 'disputed_payment',
       CASE trouble WHEN 'unpaid_works' THEN 'the buyer stopped paying' ELSE 'the settlement is in dispute' END
FROM follow_up.payments WHERE trouble IS NOT NULL ORDER BY lot, trouble;
