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
