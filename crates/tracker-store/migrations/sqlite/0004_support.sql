-- The end of the last day on which a channel gets fixes from its distribution; none where no end is known.
ALTER TABLE channel ADD COLUMN supported_until INTEGER;
