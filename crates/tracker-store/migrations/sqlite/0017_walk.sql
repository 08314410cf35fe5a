-- What a match that is walked by rank is asked, beside its rank: many are passed over before a page is full.
DROP INDEX triage_item_rank;
DROP INDEX triage_item_open;
CREATE INDEX triage_item_rank ON triage_item (rank, key, severity, score, exploited, epss, confidence, dependents, state, states, snoozed, suppressed, vulnerability, package_match);
CREATE INDEX triage_item_open ON triage_item (open, rank, key, severity, score, exploited, epss, confidence, dependents, state, states, snoozed, suppressed, vulnerability, package_match);
