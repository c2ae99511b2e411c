-- deadline: one row per clock that was started. length, unit, moves: of the rule on that day, so that a later change
-- of the law leaves running clocks alone. object: what it is about, such as a case, a referral, a complaint.
CREATE TABLE IF NOT EXISTS deadline (
    number INTEGER PRIMARY KEY,
    object TEXT NOT NULL CHECK (trim(object) <> ''),
    rule TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    length INTEGER NOT NULL CHECK (length > 0),
    unit TEXT NOT NULL,
    moves INTEGER NOT NULL CHECK (moves IN (0, 1)),
    UNIQUE (object, rule, starts_at)
) STRICT;

-- deadline_due: one row per reckoning of a clock's end; the last one counts. moved_at: where the last day is a rest
-- day and is read to move. calendar: version of the working days that it was reckoned with.
CREATE TABLE IF NOT EXISTS deadline_due (
    number INTEGER PRIMARY KEY,
    deadline INTEGER NOT NULL REFERENCES deadline,
    due_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,
    calendar TEXT NOT NULL,
    is_provisional INTEGER NOT NULL CHECK (is_provisional IN (0, 1)),
    why TEXT NOT NULL CHECK (why IN ('start', 'suspension', 'calendar'))
) STRICT;
CREATE INDEX IF NOT EXISTS deadline_due_of ON deadline_due (deadline, number);

-- deadline_end: one row per clock that stopped: the act was done, it is no longer due, it turned out never to have been
-- due, or a longer clock took over.
CREATE TABLE IF NOT EXISTS deadline_end (
    deadline INTEGER PRIMARY KEY REFERENCES deadline,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('met', 'lapsed', 'void', 'extended'))
) STRICT;

-- suspension: one row per time that does not count; to_on is filled in when it ends, and never changed after.
CREATE TABLE IF NOT EXISTS suspension (
    number INTEGER PRIMARY KEY,
    deadline INTEGER NOT NULL REFERENCES deadline,
    ground TEXT NOT NULL,
    from_on TEXT NOT NULL,
    to_on TEXT,
    CHECK (to_on IS NULL OR to_on >= from_on)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS suspension_is_one_at_a_time ON suspension (deadline) WHERE to_on IS NULL;

-- workday: one row per day of an arrangement that was loaded; the last row of a date counts.
CREATE TABLE IF NOT EXISTS workday (
    number INTEGER PRIMARY KEY,
    date TEXT NOT NULL,
    is_workday INTEGER NOT NULL CHECK (is_workday IN (0, 1)),
    is_official INTEGER NOT NULL CHECK (is_official IN (0, 1)),
    notice TEXT NOT NULL
) STRICT;
