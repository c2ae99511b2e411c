-- audit: who did what, append-only. Leaves of a Merkle tree (RFC 6962) in the order of seq.
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_only_grows BEFORE INSERT ON audit
WHEN new.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM audit)
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;

-- audit_edge: the roots of the full trees that the log is made of, by height; follows from audit, spares hashing it anew.
CREATE TABLE IF NOT EXISTS audit_edge (
    level INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

-- installation: the secret key with which the tokens here were made, by its public name; noted before the first file.
CREATE TABLE IF NOT EXISTS installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key_id TEXT NOT NULL,
    key_path TEXT NOT NULL -- where it lay then
) STRICT;
