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
