-- Records and what is derived of them. Instants are integers: microseconds since 1970, UTC.
-- Severities are single bits (unknown 1, none 2, low 4, medium 8, high 16, critical 32), so that a filter is one mask.
-- Statuses are a set of bits (affected 1, under investigation 2, fixed 4, not affected 8, no finding 16).
-- Texts that are walked in order compare by bytes, as SQLite does.

-- Last keys given out, totals, and when anything last changed.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- A data source and its last import.
CREATE TABLE feed (
    source TEXT NOT NULL PRIMARY KEY,
    records BIGINT NOT NULL,
    newest BIGINT,
    imported BIGINT,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    rejected BIGINT NOT NULL
);

-- What one source says about one vulnerability.
CREATE TABLE record (
    key BIGINT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    digest BYTEA NOT NULL,
    modified BIGINT,
    imported BIGINT NOT NULL,
    raw_bytes BIGINT NOT NULL,
    UNIQUE (source, id)
);

-- Its normal form (JSON) and its raw document, both zstd; apart from the record so that scans stay narrow.
CREATE TABLE document (
    record BIGINT NOT NULL PRIMARY KEY REFERENCES record (key) ON DELETE CASCADE,
    normal BYTEA NOT NULL,
    raw BYTEA NOT NULL
);

-- Records joined by alias, with the summary that lists show.
CREATE TABLE vulnerability (
    key BIGINT NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    touched BIGINT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    severity BIGINT NOT NULL,
    score BIGINT,
    exploited BIGINT NOT NULL,
    epss BIGINT,
    state TEXT NOT NULL,
    published BIGINT,
    modified BIGINT,
    family_count BIGINT NOT NULL,
    families TEXT NOT NULL,
    channels TEXT NOT NULL
);

-- Which records a vulnerability is made of; a record may belong to several.
CREATE TABLE member (
    vulnerability BIGINT NOT NULL,
    record BIGINT NOT NULL,
    PRIMARY KEY (vulnerability, record)
);
CREATE INDEX member_record ON member (record, vulnerability);

-- Other ids of a vulnerability.
CREATE TABLE alias (
    vulnerability BIGINT NOT NULL,
    alias TEXT NOT NULL,
    PRIMARY KEY (vulnerability, alias)
);
CREATE INDEX alias_alias ON alias (alias, vulnerability);

-- What a list walks: a row per vulnerability and scope (0 all, -1 matched, else a channel's key).
CREATE TABLE listing (
    vulnerability BIGINT NOT NULL,
    scope BIGINT NOT NULL,
    urgency BIGINT NOT NULL,
    published BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    exploited BIGINT NOT NULL,
    statuses BIGINT NOT NULL,
    PRIMARY KEY (vulnerability, scope)
);
CREATE INDEX listing_urgency ON listing (scope, urgency, vulnerability, severity, exploited, statuses);
CREATE INDEX listing_published ON listing (scope, published, vulnerability, severity, exploited, statuses);
CREATE INDEX listing_modified ON listing (scope, modified, vulnerability, severity, exploited, statuses);

-- How many rows of the list are alike; kept by triggers, so that no statement can forget it.
CREATE TABLE tally (
    scope BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    exploited BIGINT NOT NULL,
    statuses BIGINT NOT NULL,
    vulnerabilities BIGINT NOT NULL,
    PRIMARY KEY (scope, severity, exploited, statuses)
);
CREATE FUNCTION tally_listing () RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tally
        SELECT scope, severity, exploited, statuses, count(*) FROM added GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (scope, severity, exploited, statuses)
        DO UPDATE SET vulnerabilities = tally.vulnerabilities + excluded.vulnerabilities;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO tally
        SELECT scope, severity, exploited, statuses, -count(*) FROM gone GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (scope, severity, exploited, statuses)
        DO UPDATE SET vulnerabilities = tally.vulnerabilities + excluded.vulnerabilities;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER listing_added AFTER INSERT ON listing
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_listing ();
CREATE TRIGGER listing_gone AFTER DELETE ON listing
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tally_listing ();
CREATE TRIGGER listing_changed AFTER UPDATE ON listing
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_listing ();

-- The words of a vulnerability, cut in Rust; never by the server's parser.
CREATE TABLE vulnerability_words (
    rowid BIGINT NOT NULL PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX vulnerability_words_words ON vulnerability_words USING gin (words);
-- Searching has one text on both databases: SQLite's table can be called like this function.
CREATE FUNCTION vulnerability_words (query TEXT) RETURNS TABLE (rowid BIGINT) LANGUAGE sql STABLE AS
    'SELECT rowid FROM vulnerability_words WHERE words @@ query::tsquery';

-- What happened, append-only.
CREATE TABLE event (
    key BIGINT NOT NULL PRIMARY KEY,
    vulnerability BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX event_vulnerability ON event (vulnerability, key);

-- A distribution, and how far its matches are derived: everything touched after `position` is due.
CREATE TABLE distribution (
    name TEXT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    position BIGINT NOT NULL
);

CREATE TABLE channel (
    key BIGINT NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    latest BIGINT
);

-- A dated revision of a channel, and what it changed against the one before it.
CREATE TABLE channel_release (
    key BIGINT NOT NULL PRIMARY KEY,
    channel BIGINT NOT NULL,
    revision TEXT NOT NULL,
    released BIGINT NOT NULL,
    packages BIGINT NOT NULL,
    added BIGINT,
    removed BIGINT,
    moved BIGINT,
    UNIQUE (channel, revision)
);

-- A package's identity in a distribution, with how many vulnerabilities affect it on some channel.
CREATE TABLE attribute (
    key BIGINT NOT NULL PRIMARY KEY,
    distribution TEXT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    pname TEXT NOT NULL,
    family TEXT NOT NULL,
    affected BIGINT NOT NULL,
    UNIQUE (distribution, name)
);
CREATE INDEX attribute_size ON attribute (size, name, distribution);
CREATE INDEX attribute_family ON attribute (distribution, family, name);

-- Three-letter pieces of attribute names and package names, for searching inside them.
CREATE TABLE attribute_words (
    rowid BIGINT NOT NULL PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX attribute_words_words ON attribute_words USING gin (words);
-- Searching has one text on both databases: SQLite's table can be called like this function.
CREATE FUNCTION attribute_words (query TEXT) RETURNS TABLE (rowid BIGINT) LANGUAGE sql STABLE AS
    'SELECT rowid FROM attribute_words WHERE words @@ query::tsquery';

-- A package's content, stored once for all releases that have it unchanged.
CREATE TABLE package (
    key BIGINT NOT NULL PRIMARY KEY,
    attribute BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    version TEXT,
    data TEXT NOT NULL,
    UNIQUE (attribute, digest)
);

-- Which contents a release has; what changes with every rebuild stands here.
CREATE TABLE release_package (
    channel_release BIGINT NOT NULL,
    package BIGINT NOT NULL,
    derivation TEXT,
    output TEXT,
    dependents BIGINT,
    PRIMARY KEY (channel_release, package)
);
CREATE INDEX release_package_package ON release_package (package);

-- A vulnerability concerns a package family.
CREATE TABLE package_match (
    key BIGINT NOT NULL PRIMARY KEY,
    vulnerability BIGINT NOT NULL,
    distribution TEXT NOT NULL,
    family TEXT NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    attributes TEXT NOT NULL,
    reasons TEXT NOT NULL,
    UNIQUE (vulnerability, distribution, family)
);
CREATE INDEX package_match_family ON package_match (family, distribution, vulnerability);

-- What holds for it in one package of the family, in a channel's latest release.
CREATE TABLE finding (
    package_match BIGINT NOT NULL,
    attribute BIGINT NOT NULL,
    channel BIGINT NOT NULL,
    version TEXT,
    status BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    since BIGINT,
    PRIMARY KEY (package_match, attribute, channel)
);
