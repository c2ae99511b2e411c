-- act_key: one row per step that was done under a key; the same key again repeats the answer.
CREATE TABLE IF NOT EXISTS act_key (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;

-- export_ledger: one row per time that trading data was handed out (notice of 2021, article 15): to whom, how much, for
-- what; kept as long as the store. manifest_sha256: its manifest has the sums of all files.
CREATE TABLE IF NOT EXISTS export_ledger (
    number INTEGER PRIMARY KEY,
    channel TEXT NOT NULL CHECK (channel IN ('police', 'discipline', 'audit')),
    purpose TEXT NOT NULL CHECK (trim(purpose) <> ''),
    snapshot TEXT NOT NULL REFERENCES snapshot,
    tables INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (trim(actor) <> '')
) STRICT;

-- suppression: one row per agreement not to be told of a matter for a time. It ends by its date, or when a person ends it.
CREATE TABLE IF NOT EXISTS suppression (
    number INTEGER PRIMARY KEY,
    detector TEXT NOT NULL,
    lot_id TEXT NOT NULL,
    entities TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    case_id TEXT REFERENCES case_,
    starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    -- a date that cannot be read gives NULL, which a CHECK would let pass
    CHECK (coalesce(julianday(ends_on) - julianday(starts_on) BETWEEN 1 AND 180, 0))
) STRICT;

-- suppression_end: one row per suppression that a person ended before its date.
CREATE TABLE IF NOT EXISTS suppression_end (
    number INTEGER PRIMARY KEY REFERENCES suppression,
    ended_on TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
