-- When a source took a record back: it is in the database still, and states nothing any more.
ALTER TABLE record ADD COLUMN withdrawn INTEGER;

-- What a feed has named so far, while all that it states is looked through to find what it states no more.
CREATE TABLE sighting (
    feed TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (feed, id)
) WITHOUT ROWID;
-- When the last attempt went well.
ALTER TABLE follow ADD COLUMN succeeded INTEGER;
UPDATE follow SET succeeded = checked WHERE problem = '';
