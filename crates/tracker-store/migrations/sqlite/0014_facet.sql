-- What of a match has few values, packed into one number by the database itself: from the lowest bits severity, exploited,
-- state, open, contradicted, added, suggested, default_install, then whether it is snoozed, suppressed or assigned at all, then states.
ALTER TABLE triage_item ADD COLUMN facet INTEGER NOT NULL GENERATED ALWAYS AS (severity + exploited * 8 + state * 16 + open * 64 + contradicted * 128 + added * 256 + suggested * 512 + default_install * 1024 + CASE WHEN snoozed = 0 THEN 0 ELSE 2048 END + CASE WHEN suppressed = 0 THEN 0 ELSE 4096 END + CASE WHEN assignee = '' THEN 0 ELSE 8192 END + states * 65536) VIRTUAL;
CREATE INDEX triage_item_facet ON triage_item (facet, rank, key);

-- How many matches are alike; kept by triggers, so that no statement can forget it.
CREATE TABLE triage_tally (
    facet INTEGER NOT NULL PRIMARY KEY,
    items INTEGER NOT NULL
);
INSERT INTO triage_tally SELECT facet, count(*) FROM triage_item GROUP BY facet;
CREATE TRIGGER triage_item_added AFTER INSERT ON triage_item BEGIN
    INSERT INTO triage_tally VALUES (new.facet, 1)
    ON CONFLICT DO UPDATE SET items = items + 1;
END;
CREATE TRIGGER triage_item_gone AFTER DELETE ON triage_item BEGIN
    UPDATE triage_tally SET items = items - 1 WHERE facet = old.facet;
END;
CREATE TRIGGER triage_item_changed AFTER UPDATE ON triage_item
WHEN old.facet <> new.facet BEGIN
    UPDATE triage_tally SET items = items - 1 WHERE facet = old.facet;
    INSERT INTO triage_tally VALUES (new.facet, 1)
    ON CONFLICT DO UPDATE SET items = items + 1;
END;
