-- How often a segment was found for a turn.  The segment itself is in the
-- search index, under an id that stays when the index is made anew.
CREATE TABLE segment_hits (
	document TEXT NOT NULL,
	segment TEXT NOT NULL,
	hits BIGINT NOT NULL,
	PRIMARY KEY (document, segment)
);

-- A dataset's documents by age, without sorting.
CREATE INDEX dataset_documents_by_age ON dataset_documents (dataset, seq);
