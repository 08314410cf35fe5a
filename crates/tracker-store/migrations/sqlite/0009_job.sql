-- What runs in the background: one row a job, scheduled by `due` and held by one worker at a time.
-- `state` is waiting, leased or dead. `token` grows with each lease: who holds an older one holds nothing. While a job is leased, `due` is
-- when it is to run again at once after this run, if that was asked for. `attempts` are the runs since the last that went well.
-- `duration` is that of the last run in microseconds, `counts` what it did, as JSON; `problem` is empty after a run that went well.
-- `declared` is when a worker last said that it is configured to run it.
CREATE TABLE job (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    due INTEGER,
    token INTEGER NOT NULL,
    owner TEXT NOT NULL,
    ends INTEGER,
    heartbeat INTEGER,
    started INTEGER,
    attempts INTEGER NOT NULL,
    problem TEXT NOT NULL,
    succeeded INTEGER,
    duration INTEGER NOT NULL,
    counts TEXT NOT NULL,
    declared INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
