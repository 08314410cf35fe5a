-- The most urgent matches of a family are read without the others of it.
DROP INDEX triage_item_family;
CREATE INDEX triage_item_family ON triage_item (distribution, family, rank, key);

-- The words of each vulnerability by its row, for searches that hit so many that each is asked; the index follows by
-- itself.
CREATE TABLE vulnerability_words_text (
    vulnerability INTEGER NOT NULL PRIMARY KEY,
    words TEXT NOT NULL
);
-- Words can't be read back from the index: they are written anew when the database is opened.
INSERT INTO vulnerability_words (vulnerability_words) VALUES ('delete-all');
CREATE TRIGGER vulnerability_words_text_added AFTER INSERT ON vulnerability_words_text BEGIN
    INSERT INTO vulnerability_words (rowid, words) VALUES (new.vulnerability, new.words);
END;
CREATE TRIGGER vulnerability_words_text_gone AFTER DELETE ON vulnerability_words_text BEGIN
    DELETE FROM vulnerability_words WHERE rowid = old.vulnerability;
END;
