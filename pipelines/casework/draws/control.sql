-- pool_object: one row per time that an object of inspection stood in the pool (检查对象名录库) with these facts; a
-- change closes the row and opens the next.
CREATE TABLE IF NOT EXISTS pool_object (
    number INTEGER PRIMARY KEY,
    object_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    kind TEXT NOT NULL,
    field TEXT NOT NULL CHECK (field <> ''),
    unit TEXT NOT NULL,
    risk_class TEXT NOT NULL,
    credit_class TEXT NOT NULL,
    since TEXT NOT NULL, since_by TEXT NOT NULL, since_reason TEXT NOT NULL,
    until TEXT, until_by TEXT, until_reason TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS pool_object_stands_once ON pool_object (object_id) WHERE until IS NULL;
CREATE TRIGGER IF NOT EXISTS pool_object_is_never_deleted BEFORE DELETE ON pool_object
BEGIN SELECT raise(ABORT, 'the history of the pools is kept'); END;

-- pool_officer: one row per time that an officer stood in the pool (执法检查人员名录库) with these facts.
-- fields: the fields that he or she inspects, separated by semicolons.
CREATE TABLE IF NOT EXISTS pool_officer (
    number INTEGER PRIMARY KEY,
    officer_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    unit TEXT NOT NULL CHECK (unit <> ''),
    certificate_no TEXT NOT NULL CHECK (certificate_no <> ''),
    fields TEXT NOT NULL CHECK (fields <> ''),
    since TEXT NOT NULL, since_by TEXT NOT NULL, since_reason TEXT NOT NULL,
    until TEXT, until_by TEXT, until_reason TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS pool_officer_stands_once ON pool_officer (officer_id) WHERE until IS NULL;
CREATE TRIGGER IF NOT EXISTS pool_officer_is_never_deleted BEFORE DELETE ON pool_officer
BEGIN SELECT raise(ABORT, 'the history of the pools is kept'); END;

-- officer_conflict: one row per time that an officer must not inspect an object (回避), and on which ground.
CREATE TABLE IF NOT EXISTS officer_conflict (
    number INTEGER PRIMARY KEY,
    officer_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    ground TEXT NOT NULL,
    since TEXT NOT NULL, since_by TEXT NOT NULL,
    until TEXT, until_by TEXT, until_reason TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS officer_conflict_stands_once
ON officer_conflict (officer_id, object_id) WHERE until IS NULL;
CREATE TRIGGER IF NOT EXISTS officer_conflict_is_never_deleted BEFORE DELETE ON officer_conflict
BEGIN SELECT raise(ABORT, 'the history of the pools is kept'); END;

-- draw: one row per plan of a draw (抽查计划). plan: canonical JSON, as it will be published.
CREATE TABLE IF NOT EXISTS draw (
    id TEXT PRIMARY KEY,
    plan TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- draw_commitment: one row per draw whose pools are frozen and whose seed is fixed; the seed is secret until the draw.
CREATE TABLE IF NOT EXISTS draw_commitment (
    draw TEXT PRIMARY KEY REFERENCES draw,
    seed TEXT NOT NULL,
    seed_sha256 TEXT NOT NULL,
    commitment_sha256 TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- draw_run: one row per draw that was drawn. beacon: value of the public source, empty where the plan names none.
CREATE TABLE IF NOT EXISTS draw_run (
    draw TEXT PRIMARY KEY REFERENCES draw_commitment,
    beacon TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- draw_void: one row per plan that will not be drawn, or not any more; its commitment stays on record.
CREATE TABLE IF NOT EXISTS draw_void (
    draw TEXT PRIMARY KEY REFERENCES draw,
    reason TEXT NOT NULL CHECK (trim(reason) <> ''),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;

-- draw_file: one row per file of a draw, byte for byte as it is published.
CREATE TABLE IF NOT EXISTS draw_file (
    draw TEXT NOT NULL REFERENCES draw,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (draw, name)
) STRICT;

-- draw_pick: one row per object on a draw's list. arm: risk, random, both, or manual: added by a person, never drawn.
-- carried_from: an earlier draw of the period; the object is not visited again, its result there counts.
CREATE TABLE IF NOT EXISTS draw_pick (
    draw TEXT NOT NULL REFERENCES draw_run,
    object_id TEXT NOT NULL,
    arm TEXT NOT NULL CHECK (arm IN ('risk', 'random', 'both', 'manual')),
    carried_from TEXT REFERENCES draw_run,
    reason TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (draw, object_id),
    CHECK (carried_from IS NULL OR arm = 'random'),
    CHECK (arm <> 'manual' OR trim(reason) <> '')
) STRICT;

-- draw_officer: one row per officer who inspects, or was to inspect, an object of a draw.
CREATE TABLE IF NOT EXISTS draw_officer (
    number INTEGER PRIMARY KEY,
    draw TEXT NOT NULL,
    object_id TEXT NOT NULL,
    officer_id TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT, until_by TEXT, until_reason TEXT,
    FOREIGN KEY (draw, object_id) REFERENCES draw_pick
) STRICT;

-- draw_result: one row per result of an inspection that was entered; the last row of an object counts.
CREATE TABLE IF NOT EXISTS draw_result (
    number INTEGER PRIMARY KEY,
    draw TEXT NOT NULL,
    object_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    FOREIGN KEY (draw, object_id) REFERENCES draw_pick
) STRICT;

-- draw_publication: one row per result that was made public, or that must not be: then withheld says why.
CREATE TABLE IF NOT EXISTS draw_publication (
    number INTEGER PRIMARY KEY,
    draw TEXT NOT NULL,
    object_id TEXT NOT NULL,
    result INTEGER NOT NULL REFERENCES draw_result,
    channel TEXT NOT NULL,
    withheld TEXT NOT NULL DEFAULT '',
    published_at TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    FOREIGN KEY (draw, object_id) REFERENCES draw_pick,
    CHECK ((channel = '') <> (withheld = ''))
) STRICT;
