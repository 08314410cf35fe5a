-- See SQLite's file of the same step.

ALTER TABLE attribute ADD COLUMN own_family TEXT NOT NULL DEFAULT '';
UPDATE attribute SET own_family = family;

CREATE TABLE family_change (
    event BIGINT NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    kind TEXT NOT NULL,
    family TEXT NOT NULL,
    members TEXT NOT NULL,
    target TEXT NOT NULL,
    last BIGINT NOT NULL,
    holds BIGINT NOT NULL
);
CREATE INDEX family_change_family ON family_change (distribution, family);
CREATE INDEX family_change_target ON family_change (distribution, target);
