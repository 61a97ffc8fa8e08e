-- No statement looks for a key, and a row of an index has a size at most.
DROP INDEX annotations_by_key;
