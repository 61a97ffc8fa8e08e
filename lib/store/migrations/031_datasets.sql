-- Knowledge made over the API.  dataset is a dataset's id: one of datasets,
-- or one that the configuration declares.  The search index is made from
-- these rows; a document never changes, it is added and removed.

CREATE TABLE datasets (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL,
	permission TEXT NOT NULL,
	technique TEXT,
	embedding_model TEXT,
	embedding_provider TEXT,
	retrieval_json TEXT,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL
);

-- file_name tells how the text is read: "x.md" as Markdown.
CREATE TABLE dataset_documents (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	dataset TEXT NOT NULL,
	batch TEXT NOT NULL,
	name TEXT NOT NULL,
	file_name TEXT NOT NULL,
	doc_form TEXT NOT NULL,
	content TEXT NOT NULL,
	created_us BIGINT NOT NULL
);
CREATE INDEX dataset_documents_by_batch ON dataset_documents (dataset, batch);
