//! Statements about jobs.
//!
//! Invariant: what takes or buries a job names its token, state and end as they were seen, so that of two who saw the
//! same job one changes it; what a holder changes names its token.

use crate::statement::statements;

statements! {
    JOBS = "SELECT kind, subject, state, due, token, owner, ends, heartbeat, started, attempts, problem, succeeded, duration, counts, declared FROM job ORDER BY kind, subject";
    JOB = "SELECT kind, subject, state, due, token, owner, ends, heartbeat, started, attempts, problem, succeeded, duration, counts, declared FROM job WHERE kind = $1 AND subject = $2";
    DECLARE = "INSERT INTO job (kind, subject, state, due, token, owner, attempts, problem, duration, counts, declared) VALUES {rows:11} ON CONFLICT (kind, subject) DO UPDATE SET declared = excluded.declared";
    LEASE = "UPDATE job SET state = 'leased', due = NULL, token = token + 1, attempts = attempts + 1, owner = $6, ends = $7, heartbeat = $8, started = $9 WHERE kind = $1 AND subject = $2 AND token = $3 AND state = $4 AND COALESCE(ends, 0) = $5 RETURNING token, attempts";
    BURY = "UPDATE job SET state = 'dead', due = NULL, owner = '', ends = NULL, heartbeat = NULL, problem = $6 WHERE kind = $1 AND subject = $2 AND token = $3 AND state = $4 AND COALESCE(ends, 0) = $5";
    RENEW = "UPDATE job SET ends = $4, heartbeat = $5 WHERE kind = $1 AND subject = $2 AND token = $3 AND state = 'leased'";
    HELD = "SELECT due, attempts, problem, succeeded, duration, counts FROM job WHERE kind = $1 AND subject = $2 AND token = $3 AND state = 'leased'";
    END = "UPDATE job SET state = $4, due = $5, attempts = $6, problem = $7, succeeded = $8, duration = $9, counts = $10, owner = '', ends = NULL, heartbeat = NULL WHERE kind = $1 AND subject = $2 AND token = $3 AND state = 'leased'";
    WAKE = "UPDATE job SET due = $3 WHERE kind = $1 AND subject = $2 AND state <> 'dead' AND (due IS NULL OR due > $3)";
    REVIVE = "UPDATE job SET state = 'waiting', due = $3, attempts = 0 WHERE kind = $1 AND subject = $2 AND state = 'dead'";
    FORGET = "DELETE FROM job WHERE declared < $1 AND state <> 'leased'";
}
