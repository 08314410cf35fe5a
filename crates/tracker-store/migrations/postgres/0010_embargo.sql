-- See SQLite's file of the same step.
CREATE TABLE embargo (
    key BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    digest BYTEA NOT NULL,
    raw BYTEA NOT NULL,
    raw_bytes BIGINT NOT NULL,
    normal BYTEA NOT NULL,
    families TEXT NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT,
    released BIGINT
);
CREATE INDEX embargo_ends ON embargo (ends) WHERE released IS NULL;

CREATE TABLE embargo_person (
    embargo BIGINT NOT NULL REFERENCES embargo (key) ON DELETE CASCADE,
    person BIGINT NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    PRIMARY KEY (embargo, person)
);
CREATE INDEX embargo_person_person ON embargo_person (person, embargo);

CREATE TABLE embargo_note (
    key BIGINT NOT NULL PRIMARY KEY,
    embargo BIGINT NOT NULL REFERENCES embargo (key) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX embargo_note_embargo ON embargo_note (embargo, key);
