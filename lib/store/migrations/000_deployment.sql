-- Facts about this deployment that must outlive a process.
CREATE TABLE deployment (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) WITHOUT ROWID;
