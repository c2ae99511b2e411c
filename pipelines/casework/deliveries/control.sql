-- result_item: which result of which case was told to which office; decision: the step that noted it.
CREATE TABLE IF NOT EXISTS result_item (
    recipient TEXT NOT NULL,
    decision INTEGER NOT NULL REFERENCES decision,
    delivery_id TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, decision)
) STRICT;

-- penalty_item: which penalty of the records (its party, number and kind) was told to which office.
CREATE TABLE IF NOT EXISTS penalty_item (
    recipient TEXT NOT NULL,
    penalty TEXT NOT NULL,
    delivery_id TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, penalty)
) STRICT;

-- receipt: one row per filled-in list that came back from an office; the same bytes again make no row.
CREATE TABLE IF NOT EXISTS receipt (
    number INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    file_sha TEXT NOT NULL,
    file_name TEXT NOT NULL,
    received_on TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    UNIQUE (recipient, file_sha)
) STRICT;

-- receipt_row: one row per row of such a list and what became of it; the last one taken of an alert counts.
CREATE TABLE IF NOT EXISTS receipt_row (
    receipt INTEGER NOT NULL REFERENCES receipt,
    place TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    delivery_id TEXT REFERENCES outbox,
    outcome TEXT NOT NULL CHECK (outcome IN ('taken', 'unchanged', 'refused')),
    problem TEXT NOT NULL DEFAULT '',
    state_zh TEXT NOT NULL DEFAULT '',
    label TEXT,
    reviewer TEXT NOT NULL DEFAULT '',
    answered_at TEXT,
    note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (receipt, place),
    CHECK ((outcome = 'refused') = (problem <> '') AND (outcome <> 'taken' OR delivery_id IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS receipt_row_of_alert ON receipt_row (alert_id);
