-- The traces that a careless ring can leave in registers, papers and prices, whatever its tactic.
INSERT INTO follow_up.habits
SELECT r.ring, k.what
FROM world.rings AS r
JOIN follow_up.care AS c ON c.care = r.care
CROSS JOIN (VALUES ('same_address'), ('same_email'), ('guarantee_payer'), ('copied_bill'), ('borrowed_certificate'),
                   ('claimed_work')) AS k (what)
WHERE r.tactic <> 'none' AND len(r.members) > 1 AND luck('habit ' || k.what, r.ring, 0) < c.ring_share;

-- Members at one registered address are tied in every lot in which they meet, also where they do not act.
UPDATE world.rings SET evidence = list_append(evidence, 'same_address')
WHERE ring IN (SELECT ring FROM follow_up.habits WHERE what = 'same_address');
