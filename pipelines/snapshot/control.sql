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
    last_arrival INTEGER NOT NULL,
    finished_at TEXT NOT NULL
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

-- settlement: one row per decision of a person on a cell of which files say different things. The newest of a conflict
-- counts; `value` NULL: taken back. A conflict with another value besides is another conflict. Persons are tokens.
CREATE TABLE IF NOT EXISTS settlement (
    number INTEGER PRIMARY KEY,
    conflict_id TEXT NOT NULL,
    value TEXT,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
