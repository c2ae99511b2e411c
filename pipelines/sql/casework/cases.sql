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

-- referral: one row per hand-over of a case to another office. Who proposes does not approve.
CREATE TABLE IF NOT EXISTS referral (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_,
    kind TEXT NOT NULL CHECK (kind IN ('regulator', 'police', 'discipline', 'other')),
    recipient TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    basis TEXT NOT NULL,
    proposer TEXT NOT NULL,
    approver TEXT,
    document_no TEXT,
    outcome TEXT,
    CHECK (approver IS NULL OR approver <> proposer)
) STRICT;
CREATE INDEX IF NOT EXISTS referral_of_case ON referral (case_id);

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
