-- What a request that may be sent again was answered, so that it is carried out once: whose it was, the key that they gave
-- it, a digest of what it asked for, when, and the answer as JSON.
CREATE TABLE answer (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (actor, key)
) WITHOUT ROWID;
CREATE INDEX answer_at ON answer (at);

-- The lines of an act, and the ways to what few matches answer to.
CREATE INDEX event_act ON event (act, key) WHERE act IS NOT NULL;
CREATE INDEX triage_item_since ON triage_item (since, key);
CREATE INDEX triage_item_epss ON triage_item (epss, key);
CREATE INDEX triage_item_contradicted ON triage_item (key) WHERE contradicted = 1;
