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

-- matter: what the current snapshot shows of a case; one row per case that was found tonight. kind: ring, firms, firm,
-- relation, lot. firms, lots, facts: JSON. score: nats, it orders lists. q: expected false share of the list of rings
-- down to this one.
CREATE TABLE IF NOT EXISTS matter (
    case_id TEXT PRIMARY KEY REFERENCES case_,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    firms TEXT NOT NULL,
    lots TEXT NOT NULL,
    score REAL NOT NULL,
    q REAL,
    facts TEXT NOT NULL
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
