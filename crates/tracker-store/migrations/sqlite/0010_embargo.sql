-- Items that are not public yet. Nothing of them stands in any other table, so that nothing that reads others can show
-- them; what reads these tables names the person who asks. On release the document becomes a record like any other.
-- `name` stands in addresses; `digest`, `raw` (zstd), `raw_bytes` and `normal` are as of a record, `families` is JSON.
CREATE TABLE embargo (
    key INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    raw BLOB NOT NULL,
    raw_bytes INTEGER NOT NULL,
    normal BLOB NOT NULL,
    families TEXT NOT NULL,
    created INTEGER NOT NULL,
    ends INTEGER,
    released INTEGER
);
CREATE INDEX embargo_ends ON embargo (ends) WHERE released IS NULL;

-- Who may know of it.
CREATE TABLE embargo_person (
    embargo INTEGER NOT NULL REFERENCES embargo (key) ON DELETE CASCADE,
    person INTEGER NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    PRIMARY KEY (embargo, person)
) WITHOUT ROWID;
CREATE INDEX embargo_person_person ON embargo_person (person, embargo);

-- What was done about it and said of it, append-only; its own, because the log is public.
CREATE TABLE embargo_note (
    key INTEGER NOT NULL PRIMARY KEY,
    embargo INTEGER NOT NULL REFERENCES embargo (key) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX embargo_note_embargo ON embargo_note (embargo, key);
