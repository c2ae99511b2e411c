-- One row per dirty record that was sent, and what becomes of it.
SELECT f.file, n.section, nullif(n.lot_id, '') AS lot_id, n.what, n.fate, nullif(n.code, '') AS code
FROM dirt.notes AS n
JOIN delivery.files AS f
    ON f.tag = n.section AND f.stream = n.stream
    AND sent_on(n.known_at) > f.after AND sent_on(n.known_at) <= f.until
ORDER BY n.fate, n.what, n.known_at, n.lot_id, f.file
