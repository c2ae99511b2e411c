-- control.sqlite: what happened, who was told, and what is believed now. Times are UTC, ISO 8601.
-- Amounts of personal data here: none; persons are tokens, firms are party ids.

-- delivery: one row per arrival of a file, also of one that came before.
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    raw_sha TEXT NOT NULL,
    received_at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- file: one row per content; the same bytes again are only a delivery. What became of its records.
CREATE TABLE IF NOT EXISTS file (
    raw_sha TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    first_delivery INTEGER NOT NULL REFERENCES delivery,
    state TEXT NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'loaded', 'refused')),
    bronze TEXT,
    records INTEGER, loaded INTEGER, duplicate INTEGER, refused INTEGER, held INTEGER,
    code TEXT, reason TEXT, reason_zh TEXT,
    -- The accounting law. `held` rows are loaded and not yet shown.
    CHECK (state <> 'loaded' OR (records = loaded + duplicate + refused AND held <= loaded))
) STRICT;

-- snapshot: one row per published state of knowledge; the manifest rebuilds it.
CREATE TABLE IF NOT EXISTS snapshot (
    id TEXT PRIMARY KEY,
    as_of TEXT NOT NULL,
    manifest TEXT NOT NULL,
    logical_hash TEXT NOT NULL,
    published_at TEXT NOT NULL
) STRICT;

-- current: the one snapshot that readers use.
CREATE TABLE IF NOT EXISTS current (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    snapshot TEXT NOT NULL REFERENCES snapshot
) STRICT;

-- night: one row per run that reached an end.
CREATE TABLE IF NOT EXISTS night (
    id INTEGER PRIMARY KEY,
    as_of TEXT NOT NULL,
    snapshot TEXT REFERENCES snapshot,
    state TEXT NOT NULL CHECK (state IN ('published', 'unchanged', 'blocked')),
    summary TEXT NOT NULL,
    last_delivery INTEGER NOT NULL,
    finished_at TEXT NOT NULL
) STRICT;

-- signal: what a machine saw, once; its identity has no score, date or version in it.
CREATE TABLE IF NOT EXISTS signal (
    fp TEXT PRIMARY KEY,
    detector TEXT NOT NULL,
    identity_version INTEGER NOT NULL,
    scope TEXT NOT NULL,
    entities TEXT NOT NULL,
    first_snapshot TEXT NOT NULL REFERENCES snapshot,
    first_as_of TEXT NOT NULL,
    case_id TEXT NOT NULL REFERENCES case_,
    -- found in the current snapshot; a signal that is no longer found keeps its history
    is_current INTEGER NOT NULL DEFAULT 1 CHECK (is_current IN (0, 1))
) STRICT;

-- evidence: the facts behind a signal; appended when they change.
CREATE TABLE IF NOT EXISTS evidence (
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    n INTEGER NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    detector_version TEXT NOT NULL,
    limits_version TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (fp, ev_hash)
) STRICT;

-- case_: what people work on; the machine opens it and never moves it. rev: steps so far. origin: who brought it.
CREATE TABLE IF NOT EXISTS case_ (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'new',
    rev INTEGER NOT NULL DEFAULT 0,
    origin TEXT NOT NULL DEFAULT 'night',
    owner TEXT,
    merged_into TEXT REFERENCES case_,
    revisit_on TEXT
) STRICT;

-- party_judgement: what a person decided about two parties; the last row of a pair counts, none is changed.
CREATE TABLE IF NOT EXISTS party_judgement (
    number INTEGER PRIMARY KEY,
    left_id TEXT NOT NULL,
    right_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('same', 'different', 'undone')),
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    CHECK (left_id < right_id)
) STRICT;

-- outbox: one row per delivery to a recipient; the folder is made from it, and only from it.
-- alerts, records, facts: canonical JSON of what the files say; checkpoint: of the audit log.
CREATE TABLE IF NOT EXISTS outbox (
    did TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    as_of TEXT NOT NULL,
    alerts TEXT NOT NULL,
    records TEXT NOT NULL,
    facts TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'written'))
) STRICT;

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

-- outbox_item: which evidence went to whom; the same evidence goes to a recipient once.
CREATE TABLE IF NOT EXISTS outbox_item (
    recipient TEXT NOT NULL,
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    did TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, fp, ev_hash)
) STRICT;
