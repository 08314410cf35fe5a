-- A copy of another database into this one that is under way; empty once it is whole.
CREATE TABLE copy_state (
    source TEXT NOT NULL PRIMARY KEY,
    started INTEGER NOT NULL
) WITHOUT ROWID;
