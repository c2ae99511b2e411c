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

-- referral_file: one row per time that the file of a referral was written. contents_sha256: over names and sums of what
-- is in it; equal contents have equal sums.
CREATE TABLE IF NOT EXISTS referral_file (
    number INTEGER PRIMARY KEY,
    referral TEXT NOT NULL REFERENCES referral,
    contents_sha256 TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- police_reply: one row per written reply to the police on a matter that they had handed over (书面回告).
CREATE TABLE IF NOT EXISTS police_reply (
    number INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_,
    document_no TEXT NOT NULL,
    letter_sha256 TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    UNIQUE (case_id, document_no)
) STRICT;

-- assistance: one row per letter that asks the police for help in a case (协助办理函). materials: JSON list, a line each.
CREATE TABLE IF NOT EXISTS assistance (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_,
    recipient TEXT NOT NULL,
    document_no TEXT NOT NULL CHECK (trim(document_no) <> ''),
    facts TEXT NOT NULL CHECK (trim(facts) <> ''),
    matter TEXT NOT NULL CHECK (trim(matter) <> ''),
    grounds TEXT NOT NULL CHECK (trim(grounds) <> ''),
    materials TEXT NOT NULL,
    received_at TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- assistance_end: one row per letter that was answered, or returned because it is not for that office.
CREATE TABLE IF NOT EXISTS assistance_end (
    assistance TEXT PRIMARY KEY REFERENCES assistance,
    outcome TEXT NOT NULL CHECK (outcome IN ('answered', 'returned')),
    text TEXT NOT NULL CHECK (trim(text) <> ''),
    document_no TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
