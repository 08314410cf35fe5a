-- Somebody who signed in, or a local account.
-- `team_role` is what the identity provider said of their teams, `team_confirmed` when it said so, `team_asked` when
-- it was last asked. `blocked` is when an administrator shut them out.
CREATE TABLE person (
    key INTEGER NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL,
    created INTEGER NOT NULL,
    team_role TEXT,
    team_confirmed INTEGER,
    team_asked INTEGER,
    blocked INTEGER
);

-- By what a provider (`github`, `oidc`, `local`) knows them; `subject` never changes there, `login` may.
CREATE TABLE identity (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    person INTEGER NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    login TEXT NOT NULL,
    PRIMARY KEY (provider, subject)
) WITHOUT ROWID;
CREATE INDEX identity_person ON identity (person);

-- Roles as administrators gave them, only ever appended to: the last row of a person holds.
-- `giver` is absent where the command line gave it.
CREATE TABLE role_grant (
    key INTEGER NOT NULL PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    role TEXT NOT NULL,
    giver INTEGER REFERENCES person (key),
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX role_grant_person ON role_grant (person, key);

-- Browsers that are signed in. `hash` is that of the secret in the cookie; `sealed` is what the provider gave to ask
-- about teams with, readable only with that secret. In no backup.
CREATE TABLE session (
    key INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    person INTEGER NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    revoked INTEGER,
    provider TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX session_person ON session (person, key);

-- API tokens; `hash`, `provider` and `sealed` as with sessions.
CREATE TABLE api_token (
    key INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    person INTEGER NOT NULL REFERENCES person (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER,
    revoked INTEGER,
    provider TEXT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX api_token_person ON api_token (person, key);

-- Sign-ins under way and links that sign in once, by the hash of their secret; each is taken out as it is used.
-- `person` is absent where the provider has yet to say who it is. In no backup.
CREATE TABLE sign_in (
    hash BLOB NOT NULL PRIMARY KEY,
    person INTEGER REFERENCES person (key) ON DELETE CASCADE,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

-- Buckets of rates that replicas share, by what is counted: when each is full again. In no backup.
CREATE TABLE throttle (
    counted TEXT NOT NULL PRIMARY KEY,
    full_at INTEGER NOT NULL
) WITHOUT ROWID;
