-- See SQLite's file of the same step.
ALTER TABLE triage_item ADD COLUMN suggested BIGINT NOT NULL DEFAULT 0;

CREATE INDEX event_people ON event (key) WHERE decision = 1;
