-- See SQLite's file of the same step.
CREATE TABLE person (
    key BIGINT NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL,
    created BIGINT NOT NULL,
    team_role TEXT,
    team_confirmed BIGINT,
    team_asked BIGINT,
    blocked BIGINT
);

CREATE TABLE identity (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    person BIGINT NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    login TEXT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identity_person ON identity (person);

CREATE TABLE role_grant (
    key BIGINT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    role TEXT NOT NULL,
    giver BIGINT REFERENCES person (key),
    at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX role_grant_person ON role_grant (person, key);

CREATE TABLE session (
    key BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    person BIGINT NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL,
    revoked BIGINT,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    sealed BYTEA NOT NULL
);
CREATE INDEX session_person ON session (person, key);

CREATE TABLE api_token (
    key BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    person BIGINT NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT,
    revoked BIGINT,
    provider TEXT NOT NULL,
    sealed BYTEA NOT NULL
);
CREATE INDEX api_token_person ON api_token (person, key);

CREATE TABLE sign_in (
    hash BYTEA NOT NULL PRIMARY KEY,
    person BIGINT REFERENCES person (key) ON DELETE CASCADE,
    expires BIGINT NOT NULL
);

CREATE TABLE throttle (
    counted TEXT NOT NULL PRIMARY KEY,
    full_at BIGINT NOT NULL
);
