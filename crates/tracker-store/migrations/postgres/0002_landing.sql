-- See SQLite's file of the same step.
CREATE TABLE pull_request (
    number BIGINT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    state TEXT NOT NULL,
    base TEXT NOT NULL,
    head TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    merged BIGINT,
    merge_commit TEXT,
    labels TEXT NOT NULL,
    vulnerabilities TEXT NOT NULL,
    backport_of TEXT NOT NULL,
    claims BIGINT NOT NULL
);
CREATE INDEX pull_request_claims ON pull_request (claims, number);
CREATE INDEX pull_request_updated ON pull_request (updated);

CREATE TABLE pull_label (
    label TEXT NOT NULL,
    pull_request BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (label, pull_request)
);
CREATE INDEX pull_label_updated ON pull_label (label, updated, pull_request);

CREATE TABLE landed_fix (
    vulnerability TEXT NOT NULL,
    channel TEXT NOT NULL,
    attribute TEXT NOT NULL,
    fix TEXT NOT NULL,
    pull_request BIGINT,
    release TEXT NOT NULL,
    landed BIGINT NOT NULL,
    PRIMARY KEY (vulnerability, channel, attribute)
);

CREATE TABLE channel_wait (
    channel TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    checked BIGINT NOT NULL
);

CREATE TABLE channel_support (
    channel TEXT NOT NULL PRIMARY KEY,
    ends BIGINT NOT NULL
);

CREATE INDEX event_kind ON event (kind, key);
