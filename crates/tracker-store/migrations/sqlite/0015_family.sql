-- The family that matching gives an attribute; `family` is the one that it is counted to.
ALTER TABLE attribute ADD COLUMN own_family TEXT NOT NULL DEFAULT '';
UPDATE attribute SET own_family = family;

-- The merges and splits of the log, by event: which attributes (JSON) went from which family to which, the last event that
-- is it, undoes it or makes it anew, and whether it holds.
CREATE TABLE family_change (
    event INTEGER NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    kind TEXT NOT NULL,
    family TEXT NOT NULL,
    members TEXT NOT NULL,
    target TEXT NOT NULL,
    last INTEGER NOT NULL,
    holds INTEGER NOT NULL
);
CREATE INDEX family_change_family ON family_change (distribution, family);
CREATE INDEX family_change_target ON family_change (distribution, target);
