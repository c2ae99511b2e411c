-- signal: what a machine saw, once; its identity has no score, date or version in it.
CREATE TABLE IF NOT EXISTS signal (
    fp TEXT PRIMARY KEY,
    detector TEXT NOT NULL,
    identity_version INTEGER NOT NULL,
    scope TEXT NOT NULL,
    lot_id TEXT, -- NULL: not about one lot
    entities TEXT NOT NULL,
    first_snapshot TEXT NOT NULL REFERENCES snapshot,
    first_as_of TEXT NOT NULL,
    case_id TEXT NOT NULL REFERENCES case_,
    strength REAL, -- nats, of the last night that found it; it orders lists
    -- found in the current snapshot; a signal that is no longer found keeps its history
    is_current INTEGER NOT NULL DEFAULT 1 CHECK (is_current IN (0, 1))
) STRICT;

-- evidence: the facts behind a signal; appended when they change.
CREATE TABLE IF NOT EXISTS evidence (
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    n INTEGER NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    detector_version TEXT NOT NULL,
    limits_version TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (fp, ev_hash)
) STRICT;

-- outbox: one row per delivery to a recipient; the folder is made from it, and only from it.
-- alerts, records, facts: canonical JSON of what the files say; checkpoint: of the audit log.
CREATE TABLE IF NOT EXISTS outbox (
    delivery_id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    as_of TEXT NOT NULL,
    alerts TEXT NOT NULL,
    records TEXT NOT NULL,
    facts TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'written'))
) STRICT;

-- outbox_item: which evidence went to whom; the same evidence goes to a recipient once.
CREATE TABLE IF NOT EXISTS outbox_item (
    recipient TEXT NOT NULL,
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    delivery_id TEXT NOT NULL REFERENCES outbox,
    PRIMARY KEY (recipient, fp, ev_hash)
) STRICT;

-- delivery_hold: one row per delivery of a night with more new signals than usual; it waits for a person.
CREATE TABLE IF NOT EXISTS delivery_hold (
    delivery_id TEXT PRIMARY KEY REFERENCES outbox,
    new_signals INTEGER NOT NULL,
    most INTEGER NOT NULL
) STRICT;

-- delivery_release: one row per held delivery that a person let go.
CREATE TABLE IF NOT EXISTS delivery_release (
    delivery_id TEXT PRIMARY KEY REFERENCES delivery_hold,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- delivery_made: one row per delivery whose folder was made; the manifest has the sums of all files.
CREATE TABLE IF NOT EXISTS delivery_made (
    delivery_id TEXT PRIMARY KEY REFERENCES outbox,
    manifest_sha256 TEXT NOT NULL
) STRICT;

-- outbox_repeat: evidence that an office had before and gets again: corrected, or after a suppression ended.
CREATE TABLE IF NOT EXISTS outbox_repeat (
    delivery_id TEXT NOT NULL REFERENCES outbox,
    fp TEXT NOT NULL REFERENCES signal,
    ev_hash TEXT NOT NULL,
    PRIMARY KEY (delivery_id, fp)
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_item_of_delivery ON outbox_item (delivery_id);
CREATE INDEX IF NOT EXISTS outbox_item_of_signal ON outbox_item (fp);

-- delivery_item: which evidence stands in which delivery.
CREATE VIEW IF NOT EXISTS delivery_item AS
SELECT delivery_id, fp, ev_hash FROM outbox_item
UNION ALL
SELECT delivery_id, fp, ev_hash FROM outbox_repeat;

-- matter: what the current snapshot shows of a case; one row per case that was found tonight. kind: ring, firms, firm,
-- relation, lot. firms, lots, facts: JSON. score: nats, it orders lists. q: expected false share of the list of rings
-- down to this one.
CREATE TABLE IF NOT EXISTS matter (
    case_id TEXT PRIMARY KEY REFERENCES case_,
    snapshot TEXT NOT NULL REFERENCES snapshot,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    firms TEXT NOT NULL,
    lots TEXT NOT NULL,
    score REAL NOT NULL,
    q REAL,
    facts TEXT NOT NULL
) STRICT;
