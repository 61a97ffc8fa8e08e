-- Answers that are running now, so that a stop request can reach them.
CREATE TABLE tasks (
	id TEXT PRIMARY KEY,
	bot_uid TEXT NOT NULL,
	end_user TEXT NOT NULL,
	started_us BIGINT NOT NULL,
	stop_us BIGINT
);
CREATE INDEX tasks_stop ON tasks (stop_us);
CREATE INDEX tasks_started ON tasks (started_us);
