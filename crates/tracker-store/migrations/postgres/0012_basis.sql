-- See SQLite's file of the same step.
CREATE TABLE derivation_basis (
    distribution TEXT NOT NULL PRIMARY KEY,
    weights TEXT NOT NULL,
    generation BIGINT NOT NULL,
    cause TEXT NOT NULL,
    until BIGINT NOT NULL
);
