-- A feed that is followed over the network: how far it was followed, and how the last attempts went.
-- `cursor` is JSON of the job that follows it; `problem` is empty after an attempt that went well.
CREATE TABLE follow (
    feed TEXT NOT NULL PRIMARY KEY,
    cursor TEXT NOT NULL,
    checked INTEGER,
    changed INTEGER,
    next INTEGER,
    failures INTEGER NOT NULL,
    problem TEXT NOT NULL
) WITHOUT ROWID;
