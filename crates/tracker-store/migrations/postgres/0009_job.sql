-- See SQLite's file of the same step.
CREATE TABLE job (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    due BIGINT,
    token BIGINT NOT NULL,
    owner TEXT NOT NULL,
    ends BIGINT,
    heartbeat BIGINT,
    started BIGINT,
    attempts BIGINT NOT NULL,
    problem TEXT NOT NULL,
    succeeded BIGINT,
    duration BIGINT NOT NULL,
    counts TEXT NOT NULL,
    declared BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
