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
