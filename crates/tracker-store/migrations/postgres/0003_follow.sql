-- See SQLite's file of the same step.
CREATE TABLE follow (
    feed TEXT NOT NULL PRIMARY KEY,
    cursor TEXT NOT NULL,
    checked BIGINT,
    changed BIGINT,
    next BIGINT,
    failures BIGINT NOT NULL,
    problem TEXT NOT NULL
);
