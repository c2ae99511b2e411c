-- complaint: one row per complaint. complainant: a code name; who it is stands sealed in the vault and nowhere else.
-- respondent: a party id, never a person.
CREATE TABLE IF NOT EXISTS complaint (
    id TEXT PRIMARY KEY,
    complainant TEXT NOT NULL UNIQUE,
    regime TEXT NOT NULL CHECK (regime IN ('tendering', 'procurement')),
    channel TEXT NOT NULL CHECK (channel IN ('online', 'offline')),
    received_at TEXT NOT NULL,
    office TEXT NOT NULL CHECK (trim(office) <> ''),
    item INTEGER NOT NULL CHECK (item BETWEEN 1 AND 6),
    respondent_type INTEGER NOT NULL CHECK (respondent_type BETWEEN 1 AND 5),
    respondent TEXT NOT NULL,
    tender_id TEXT NOT NULL,
    project TEXT NOT NULL,
    lot_id TEXT NOT NULL,
    has_objected INTEGER NOT NULL CHECK (has_objected IN (0, 1)),
    state TEXT NOT NULL DEFAULT 'arrived',
    rev INTEGER NOT NULL DEFAULT 0
) STRICT;

-- complaint_event: one row per step of a person on a complaint; never changed. done_at: when it was done, at: when it
-- was written down. details: document, conclusion, ground, day, as JSON.
CREATE TABLE IF NOT EXISTS complaint_event (
    number INTEGER PRIMARY KEY,
    complaint TEXT NOT NULL REFERENCES complaint,
    rev INTEGER NOT NULL,
    verb TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    done_at TEXT NOT NULL,
    details TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL CHECK (trim(actor) <> ''),
    UNIQUE (complaint, rev)
) STRICT;

-- complaint_case: one row per time that a complaint was linked to a case; the two stay apart.
CREATE TABLE IF NOT EXISTS complaint_case (
    number INTEGER PRIMARY KEY,
    complaint TEXT NOT NULL REFERENCES complaint,
    case_id TEXT NOT NULL REFERENCES case_,
    linked_at TEXT NOT NULL,
    linked_by TEXT NOT NULL,
    unlinked_at TEXT,
    unlinked_by TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS complaint_case_is_linked_once
ON complaint_case (complaint, case_id) WHERE unlinked_at IS NULL;
