-- control.sqlite: what happened, who was told, and what is believed now. Times are UTC, ISO 8601.
-- Amounts of personal data here: none; persons are tokens, firms are party ids.

-- arrival: one row per arrival of a file, also of one that came before.
CREATE TABLE IF NOT EXISTS arrival (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    raw_sha TEXT NOT NULL,
    received_at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- file: one row per content; the same bytes again are only an arrival. What became of its records.
CREATE TABLE IF NOT EXISTS file (
    raw_sha TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    first_arrival INTEGER NOT NULL REFERENCES arrival,
    state TEXT NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'loaded', 'refused')),
    bronze TEXT,
    records INTEGER, loaded INTEGER, duplicate INTEGER, refused INTEGER, held INTEGER,
    code TEXT, reason TEXT, reason_zh TEXT,
    -- What of it passed the gate of its source: a bronze, the code of its refusal, or 'left out' by a person.
    passed TEXT,
    -- The accounting law. `held` rows are loaded and not yet shown.
    CHECK (state <> 'loaded' OR (records = loaded + duplicate + refused AND held <= loaded))
) STRICT;
