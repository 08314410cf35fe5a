-- Who wrote a line of the log, why, as part of which act (the key of its first line), whether it is a person's decision
-- (then it can be undone), and the event itself as versioned JSON; empty where `text` says it all.
ALTER TABLE event ADD COLUMN actor TEXT NOT NULL DEFAULT 'tracker';
ALTER TABLE event ADD COLUMN reason TEXT;
ALTER TABLE event ADD COLUMN act INTEGER;
ALTER TABLE event ADD COLUMN decision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN data TEXT NOT NULL DEFAULT '';
CREATE INDEX event_decision ON event (vulnerability, key) WHERE decision = 1;

-- Where a finding stands (one bit of eight states; `status` is what VEX calls it), what evidence alone says (bits as in
-- `status`), the key of the event that decided it, and whether evidence speaks against that.
ALTER TABLE finding ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN derived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN decided INTEGER;
ALTER TABLE finding ADD COLUMN contradicted INTEGER NOT NULL DEFAULT 0;

-- What was derived before had no typed events, so it is derived anew.
DELETE FROM finding;
DELETE FROM package_match;
DELETE FROM event WHERE kind IN ('matched', 'unmatched', 'finding-changed');
DELETE FROM listing WHERE scope <> 0;
UPDATE listing SET statuses = 16;
UPDATE attribute SET affected = 0;
UPDATE vulnerability SET family_count = 0, families = '[]', channels = '[]';
UPDATE distribution SET position = 0;
UPDATE counter SET value = 0 WHERE name = 'total-matches';

-- A match in the queue. `state` is 0 proposed, 1 confirmed, 2 dismissed; `severity` counts up from 0 unknown to 5 critical;
-- `score`, `epss` and `dependents` are -1 where unknown; `states` is the union of its findings' states; `open` is 1 if
-- there is something to do, time aside; `rank` orders, in thousandths of a point as of 1970.
CREATE TABLE triage_item (
    key INTEGER NOT NULL PRIMARY KEY,
    vulnerability INTEGER NOT NULL,
    distribution TEXT NOT NULL,
    family TEXT NOT NULL,
    package_match INTEGER NOT NULL,
    state INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    score INTEGER NOT NULL,
    exploited INTEGER NOT NULL,
    epss INTEGER NOT NULL,
    confidence INTEGER NOT NULL,
    dependents INTEGER NOT NULL,
    default_install INTEGER NOT NULL,
    since INTEGER NOT NULL,
    states INTEGER NOT NULL,
    contradicted INTEGER NOT NULL,
    added INTEGER NOT NULL,
    open INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    assignee TEXT NOT NULL,
    snoozed INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    UNIQUE (vulnerability, distribution, family)
);
CREATE INDEX triage_item_rank ON triage_item (rank, key);
CREATE INDEX triage_item_open ON triage_item (open, rank, key);
CREATE INDEX triage_item_family ON triage_item (distribution, family, key);
CREATE INDEX triage_item_assignee ON triage_item (assignee, key);

-- Who maintains a package, as its contents name them.
CREATE TABLE package_maintainer (
    package INTEGER NOT NULL,
    maintainer TEXT NOT NULL,
    PRIMARY KEY (package, maintainer)
) WITHOUT ROWID;
CREATE INDEX package_maintainer_maintainer ON package_maintainer (maintainer, package);
CREATE INDEX attribute_pname ON attribute (pname, key);
