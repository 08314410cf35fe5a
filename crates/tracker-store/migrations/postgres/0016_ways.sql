-- The most urgent matches of a family are read without the others of it.
DROP INDEX triage_item_family;
CREATE INDEX triage_item_family ON triage_item (distribution, family, rank, key);
