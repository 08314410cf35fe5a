-- See SQLite's file of the same step.
ALTER TABLE channel ADD COLUMN supported_until BIGINT;
