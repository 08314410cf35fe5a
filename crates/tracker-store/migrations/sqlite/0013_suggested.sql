-- 1 where somebody suggested a verdict and nobody answered yet.
ALTER TABLE triage_item ADD COLUMN suggested INTEGER NOT NULL DEFAULT 0;

-- The log of what people did, walked from either end.
CREATE INDEX event_people ON event (key) WHERE decision = 1;
