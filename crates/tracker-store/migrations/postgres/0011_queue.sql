-- See SQLite's file of the same step.
CREATE TABLE answer (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX answer_at ON answer (at);

CREATE INDEX event_act ON event (act, key) WHERE act IS NOT NULL;
CREATE INDEX triage_item_since ON triage_item (since, key);
CREATE INDEX triage_item_epss ON triage_item (epss, key);
CREATE INDEX triage_item_contradicted ON triage_item (key) WHERE contradicted = 1;
