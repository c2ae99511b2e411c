-- suppression_end: one row per suppression that a person ended before its date.
CREATE TABLE IF NOT EXISTS suppression_end (
    number INTEGER PRIMARY KEY REFERENCES suppression,
    ended_on TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- delivery_hold: one row per delivery of a night with more new signals than usual; it waits for a person.
CREATE TABLE IF NOT EXISTS delivery_hold (
    did TEXT PRIMARY KEY REFERENCES outbox,
    new_signals INTEGER NOT NULL,
    most INTEGER NOT NULL
) STRICT;

-- delivery_release: one row per held delivery that a person let go.
CREATE TABLE IF NOT EXISTS delivery_release (
    did TEXT PRIMARY KEY REFERENCES delivery_hold,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- delivery_made: one row per delivery whose folder was made; the manifest has the sums of all files.
CREATE TABLE IF NOT EXISTS delivery_made (
    did TEXT PRIMARY KEY REFERENCES outbox,
    manifest_sha256 TEXT NOT NULL
) STRICT;

-- outbox_repeat: evidence that an office had before and gets again: corrected, or after a suppression ended.
CREATE TABLE IF NOT EXISTS outbox_repeat (
    did TEXT NOT NULL REFERENCES outbox,
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    PRIMARY KEY (did, fp)
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_item_of_delivery ON outbox_item (did);
CREATE INDEX IF NOT EXISTS outbox_item_of_signal ON outbox_item (fp);

-- delivery_item: which evidence stands in which delivery.
CREATE VIEW IF NOT EXISTS delivery_item AS
SELECT did, fp, ev_hash FROM outbox_item
UNION ALL
SELECT did, fp, ev_hash FROM outbox_repeat;

-- result_item: which result of which case was told to which office; decision: the step that noted it.
CREATE TABLE IF NOT EXISTS result_item (
    recipient TEXT NOT NULL,
    decision INTEGER NOT NULL REFERENCES decision,
    did TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, decision)
) STRICT;

-- penalty_item: which penalty of the records (its party, number and kind) was told to which office.
CREATE TABLE IF NOT EXISTS penalty_item (
    recipient TEXT NOT NULL,
    penalty TEXT NOT NULL,
    did TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, penalty)
) STRICT;

-- receipt: one row per filled-in list that came back from an office; the same bytes again are none.
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
    did TEXT REFERENCES outbox,
    outcome TEXT NOT NULL CHECK (outcome IN ('taken', 'unchanged', 'refused')),
    problem TEXT NOT NULL DEFAULT '',
    state_zh TEXT NOT NULL DEFAULT '',
    label TEXT,
    reviewer TEXT NOT NULL DEFAULT '',
    answered_at TEXT,
    note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (receipt, place),
    CHECK ((outcome = 'refused') = (problem <> '') AND (outcome <> 'taken' OR did IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS receipt_row_of_alert ON receipt_row (alert_id);
