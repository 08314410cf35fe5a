-- What a distribution's matches are derived with (the digest of matching's weights), and why what is due is due: a vulnerability that was
-- touched up to the position `until` because of `cause` (packages or weights), a later one because it changed itself.
CREATE TABLE derivation_basis (
    distribution TEXT NOT NULL PRIMARY KEY,
    weights TEXT NOT NULL,
    generation INTEGER NOT NULL,
    cause TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
