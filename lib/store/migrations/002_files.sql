-- Uploaded files (their bytes are in state/files/ID) and the files that a
-- message was sent with.

CREATE TABLE files (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	app TEXT NOT NULL,
	end_user BIGINT NOT NULL REFERENCES end_users (seq),
	name TEXT NOT NULL,
	extension TEXT NOT NULL,
	mime_type TEXT NOT NULL,
	size BIGINT NOT NULL,
	created_us BIGINT NOT NULL
);

CREATE TABLE message_files (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	message BIGINT NOT NULL REFERENCES messages (seq),
	type TEXT NOT NULL,
	transfer_method TEXT NOT NULL,
	url TEXT,
	file BIGINT REFERENCES files (seq)
);
CREATE INDEX message_files_by_message ON message_files (message, seq);
CREATE INDEX message_files_by_file ON message_files (file);
