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

-- decision: one row per step of a person on a case; never changed. seen: the evidence that stood behind the case then.
CREATE TABLE IF NOT EXISTS decision (
    number INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_,
    rev INTEGER NOT NULL,
    verb TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    details TEXT NOT NULL,
    seen TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (trim(actor) <> ''),
    UNIQUE (case_id, rev)
) STRICT;

-- case_event: what nights did with cases, never changed: opened, changed (other firms or lots), merged into another that
-- nobody had touched either, parted from it, overlaps one that a person works on.
CREATE TABLE IF NOT EXISTS case_event (
    number INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_,
    verb TEXT NOT NULL CHECK (verb IN ('opened', 'changed', 'merged', 'parted', 'overlaps')),
    other TEXT REFERENCES case_,
    snapshot TEXT NOT NULL REFERENCES snapshot
) STRICT;
