-- act_key: one row per step that was done under a key; the same key again repeats the answer.
CREATE TABLE IF NOT EXISTS act_key (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;
