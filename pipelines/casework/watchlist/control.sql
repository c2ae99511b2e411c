-- list_entry: one row per entry that was ever proposed for the watch list (watch, 重点关注对象, internal) or the
-- blacklist (black, needs a decision and its 文号). Facts as proposed; none is changed. Persons are tokens.
-- starts_on, first_ends_on: first and last day of effect, local dates, both included.
CREATE TABLE IF NOT EXISTS list_entry (
    id TEXT PRIMARY KEY,
    list TEXT NOT NULL CHECK (list IN ('watch', 'black')),
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL CHECK (subject_id <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    shown_code TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    basis TEXT NOT NULL CHECK (trim(basis) <> ''),
    rule TEXT NOT NULL, risk_class TEXT NOT NULL, measures TEXT NOT NULL, related TEXT NOT NULL,
    document_no TEXT NOT NULL, authority TEXT NOT NULL, decided_on TEXT, severity TEXT NOT NULL,
    is_bidding_ban INTEGER NOT NULL CHECK (is_bidding_ban IN (0, 1)),
    starts_on TEXT NOT NULL,
    first_ends_on TEXT NOT NULL,
    first_review_on TEXT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    CHECK (first_ends_on >= starts_on),
    CHECK (list <> 'watch' OR (first_review_on IS NOT NULL AND first_review_on <= first_ends_on)),
    CHECK (list <> 'black' OR (document_no <> '' AND authority <> '' AND decided_on IS NOT NULL AND severity <> ''))
) STRICT;
CREATE TRIGGER IF NOT EXISTS list_entry_is_never_changed BEFORE UPDATE ON list_entry
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;
CREATE TRIGGER IF NOT EXISTS list_entry_is_never_deleted BEFORE DELETE ON list_entry
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;

-- list_review: one row per review (复评) that kept an entry of the watch list; the last one says until when.
CREATE TABLE IF NOT EXISTS list_review (
    number INTEGER PRIMARY KEY,
    entry TEXT NOT NULL REFERENCES list_entry,
    review_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    CHECK (review_on <= ends_on)
) STRICT;
CREATE TRIGGER IF NOT EXISTS list_review_is_never_changed BEFORE UPDATE ON list_review
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;
CREATE TRIGGER IF NOT EXISTS list_review_is_never_deleted BEFORE DELETE ON list_review
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;

-- list_event: one row per state that an entry got into; the last one counts. effective_on: local date, the first day of
-- the state. document_no: of the decision that it rests on. flags: of a removal, the signals that it stopped (JSON).
CREATE TABLE IF NOT EXISTS list_event (
    number INTEGER PRIMARY KEY,
    entry TEXT NOT NULL REFERENCES list_entry,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'listed', 'expired', 'repaired', 'revoked', 'removed')),
    effective_on TEXT NOT NULL,
    reason TEXT NOT NULL,
    document_no TEXT NOT NULL DEFAULT '',
    flags TEXT NOT NULL DEFAULT '[]',
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS list_event_of ON list_event (entry, number);
CREATE TRIGGER IF NOT EXISTS list_event_is_never_changed BEFORE UPDATE ON list_event
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;
CREATE TRIGGER IF NOT EXISTS list_event_is_never_deleted BEFORE DELETE ON list_event
BEGIN SELECT raise(ABORT, 'the history of the lists is kept'); END;
