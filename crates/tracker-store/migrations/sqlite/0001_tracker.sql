-- Records and what is derived of them. Instants are integers: microseconds since 1970, UTC.
-- Severities are single bits (unknown 1, none 2, low 4, medium 8, high 16, critical 32), so that a filter is one mask.
-- Statuses are a set of bits (affected 1, under investigation 2, fixed 4, not affected 8, no finding 16).

-- Last keys given out, totals, and when anything last changed.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- A data source and its last import.
CREATE TABLE feed (
    source TEXT NOT NULL PRIMARY KEY,
    records INTEGER NOT NULL,
    newest INTEGER,
    imported INTEGER,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    rejected INTEGER NOT NULL
) WITHOUT ROWID;

-- What one source says about one vulnerability.
CREATE TABLE record (
    key INTEGER NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    modified INTEGER,
    imported INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    UNIQUE (source, id)
);

-- Its normal form (JSON) and its raw document, both zstd; apart from the record so that scans stay narrow.
CREATE TABLE document (
    record INTEGER NOT NULL PRIMARY KEY REFERENCES record (key) ON DELETE CASCADE,
    normal BLOB NOT NULL,
    raw BLOB NOT NULL
);

-- Records joined by alias, with the summary that lists show.
CREATE TABLE vulnerability (
    key INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    touched INTEGER NOT NULL UNIQUE,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,
    score INTEGER,
    exploited INTEGER NOT NULL,
    epss INTEGER,
    state TEXT NOT NULL,
    published INTEGER,
    modified INTEGER,
    family_count INTEGER NOT NULL,
    families TEXT NOT NULL,
    channels TEXT NOT NULL
);

-- Which records a vulnerability is made of; a record may belong to several.
CREATE TABLE member (
    vulnerability INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (vulnerability, record)
) WITHOUT ROWID;
CREATE INDEX member_record ON member (record, vulnerability);

-- Other ids of a vulnerability.
CREATE TABLE alias (
    vulnerability INTEGER NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (vulnerability, alias)
) WITHOUT ROWID;
CREATE INDEX alias_alias ON alias (alias, vulnerability);

-- What a list walks: a row per vulnerability and scope (0 all, -1 matched, else a channel's key).
CREATE TABLE listing (
    vulnerability INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    urgency INTEGER NOT NULL,
    published INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    exploited INTEGER NOT NULL,
    statuses INTEGER NOT NULL,
    PRIMARY KEY (vulnerability, scope)
) WITHOUT ROWID;
CREATE INDEX listing_urgency ON listing (scope, urgency, vulnerability, severity, exploited, statuses);
CREATE INDEX listing_published ON listing (scope, published, vulnerability, severity, exploited, statuses);
CREATE INDEX listing_modified ON listing (scope, modified, vulnerability, severity, exploited, statuses);

-- How many rows of the list are alike; kept by triggers, so that no statement can forget it.
CREATE TABLE tally (
    scope INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    exploited INTEGER NOT NULL,
    statuses INTEGER NOT NULL,
    vulnerabilities INTEGER NOT NULL,
    PRIMARY KEY (scope, severity, exploited, statuses)
) WITHOUT ROWID;
CREATE TRIGGER listing_added AFTER INSERT ON listing BEGIN
    INSERT INTO tally VALUES (new.scope, new.severity, new.exploited, new.statuses, 1)
    ON CONFLICT DO UPDATE SET vulnerabilities = vulnerabilities + 1;
END;
CREATE TRIGGER listing_gone AFTER DELETE ON listing BEGIN
    UPDATE tally SET vulnerabilities = vulnerabilities - 1
    WHERE scope = old.scope AND severity = old.severity AND exploited = old.exploited AND statuses = old.statuses;
END;
CREATE TRIGGER listing_changed AFTER UPDATE OF severity, exploited, statuses ON listing
WHEN (old.severity, old.exploited, old.statuses) IS NOT (new.severity, new.exploited, new.statuses) BEGIN
    UPDATE tally SET vulnerabilities = vulnerabilities - 1
    WHERE scope = old.scope AND severity = old.severity AND exploited = old.exploited AND statuses = old.statuses;
    INSERT INTO tally VALUES (new.scope, new.severity, new.exploited, new.statuses, 1)
    ON CONFLICT DO UPDATE SET vulnerabilities = vulnerabilities + 1;
END;

-- The words of a vulnerability, cut in Rust; the tokenizer only splits at the spaces between them.
CREATE VIRTUAL TABLE vulnerability_words USING fts5 (
    words, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
-- Terms that are gathered in memory before they are written, in bytes: the default of 1 MiB merges an import ten times.
INSERT INTO vulnerability_words (vulnerability_words, rank) VALUES ('hashsize', 8388608);

-- What happened, append-only.
CREATE TABLE event (
    key INTEGER NOT NULL PRIMARY KEY,
    vulnerability INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX event_vulnerability ON event (vulnerability, key);

-- A distribution, and how far its matches are derived: everything touched after `position` is due.
CREATE TABLE distribution (
    name TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE channel (
    key INTEGER NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    latest INTEGER
);

-- A dated revision of a channel, and what it changed against the one before it.
CREATE TABLE channel_release (
    key INTEGER NOT NULL PRIMARY KEY,
    channel INTEGER NOT NULL,
    revision TEXT NOT NULL,
    released INTEGER NOT NULL,
    packages INTEGER NOT NULL,
    added INTEGER,
    removed INTEGER,
    moved INTEGER,
    UNIQUE (channel, revision)
);

-- A package's identity in a distribution, with how many vulnerabilities affect it on some channel.
CREATE TABLE attribute (
    key INTEGER NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    pname TEXT NOT NULL,
    family TEXT NOT NULL,
    affected INTEGER NOT NULL,
    UNIQUE (distribution, name)
);
CREATE INDEX attribute_size ON attribute (size, name, distribution);
CREATE INDEX attribute_family ON attribute (distribution, family, name);

-- Three-letter pieces of attribute names and package names, for searching inside them.
CREATE VIRTUAL TABLE attribute_words USING fts5 (
    words, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
-- Terms that are gathered in memory before they are written, in bytes: the default of 1 MiB merges an import ten times.
INSERT INTO attribute_words (attribute_words, rank) VALUES ('hashsize', 8388608);

-- A package's content, stored once for all releases that have it unchanged.
CREATE TABLE package (
    key INTEGER NOT NULL PRIMARY KEY,
    attribute INTEGER NOT NULL,
    digest BLOB NOT NULL,
    version TEXT,
    data TEXT NOT NULL,
    UNIQUE (attribute, digest)
);

-- Which contents a release has; what changes with every rebuild stands here.
CREATE TABLE release_package (
    channel_release INTEGER NOT NULL,
    package INTEGER NOT NULL,
    derivation TEXT,
    output TEXT,
    dependents INTEGER,
    PRIMARY KEY (channel_release, package)
) WITHOUT ROWID;
CREATE INDEX release_package_package ON release_package (package);

-- A vulnerability concerns a package family.
CREATE TABLE package_match (
    key INTEGER NOT NULL PRIMARY KEY,
    vulnerability INTEGER NOT NULL,
    distribution TEXT NOT NULL,
    family TEXT NOT NULL,
    score REAL NOT NULL,
    attributes TEXT NOT NULL,
    reasons TEXT NOT NULL,
    UNIQUE (vulnerability, distribution, family)
);
CREATE INDEX package_match_family ON package_match (family, distribution, vulnerability);

-- What holds for it in one package of the family, in a channel's latest release.
CREATE TABLE finding (
    package_match INTEGER NOT NULL,
    attribute INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version TEXT,
    status INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    since INTEGER,
    PRIMARY KEY (package_match, attribute, channel)
) WITHOUT ROWID;
