-- A pull request as its forge tells of it. `labels`, `vulnerabilities` and `backport_of` are JSON; `claims` is 1 where either of
-- the last two names anything.
CREATE TABLE pull_request (
    number INTEGER NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    state TEXT NOT NULL,
    base TEXT NOT NULL,
    head TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    merged INTEGER,
    merge_commit TEXT,
    labels TEXT NOT NULL,
    vulnerabilities TEXT NOT NULL,
    backport_of TEXT NOT NULL,
    claims INTEGER NOT NULL
);
CREATE INDEX pull_request_claims ON pull_request (claims, number);
CREATE INDEX pull_request_updated ON pull_request (updated);

-- Which pull requests bear a label, for feeds: the latest first.
CREATE TABLE pull_label (
    label TEXT NOT NULL,
    pull_request INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (label, pull_request)
) WITHOUT ROWID;
CREATE INDEX pull_label_updated ON pull_label (label, updated, pull_request);

-- A commit that fixes a vulnerability in a package and is in a channel's newest release, as the landing index tells.
CREATE TABLE landed_fix (
    vulnerability TEXT NOT NULL,
    channel TEXT NOT NULL,
    attribute TEXT NOT NULL,
    fix TEXT NOT NULL,
    pull_request INTEGER,
    release TEXT NOT NULL,
    landed INTEGER NOT NULL,
    PRIMARY KEY (vulnerability, channel, attribute)
) WITHOUT ROWID;

-- What a channel waits for: `state` is JSON of the job that follows Hydra.
CREATE TABLE channel_wait (
    channel TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    checked INTEGER NOT NULL
) WITHOUT ROWID;

-- When a channel's support ends.
CREATE TABLE channel_support (
    channel TEXT NOT NULL PRIMARY KEY,
    ends INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX event_kind ON event (kind, key);
