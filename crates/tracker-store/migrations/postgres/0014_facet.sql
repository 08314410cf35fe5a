-- See SQLite's file of the same step.
ALTER TABLE triage_item ADD COLUMN facet BIGINT NOT NULL GENERATED ALWAYS AS (severity + exploited * 8 + state * 16 + open * 64 + contradicted * 128 + added * 256 + suggested * 512 + default_install * 1024 + CASE WHEN snoozed = 0 THEN 0 ELSE 2048 END + CASE WHEN suppressed = 0 THEN 0 ELSE 4096 END + CASE WHEN assignee = '' THEN 0 ELSE 8192 END + states * 65536) STORED;
CREATE INDEX triage_item_facet ON triage_item (facet, rank, key);

CREATE TABLE triage_tally (
    facet BIGINT NOT NULL PRIMARY KEY,
    items BIGINT NOT NULL
);
INSERT INTO triage_tally SELECT facet, count(*) FROM triage_item GROUP BY facet;
CREATE FUNCTION tally_triage_item () RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO triage_tally
        SELECT facet, count(*) FROM added GROUP BY facet ORDER BY facet
        ON CONFLICT (facet) DO UPDATE SET items = triage_tally.items + excluded.items;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO triage_tally
        SELECT facet, -count(*) FROM gone GROUP BY facet ORDER BY facet
        ON CONFLICT (facet) DO UPDATE SET items = triage_tally.items + excluded.items;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER triage_item_added AFTER INSERT ON triage_item
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_triage_item ();
CREATE TRIGGER triage_item_gone AFTER DELETE ON triage_item
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tally_triage_item ();
CREATE TRIGGER triage_item_changed AFTER UPDATE ON triage_item
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_triage_item ();
