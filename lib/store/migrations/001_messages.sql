-- What the messages API keeps (contracts/chat-messages.md 5).  seq is the
-- order of insertion: pages are cut by it, so rows of one instant are never
-- skipped or repeated.  Times are microseconds since 1970; app names a key's
-- view of a bot, within which end users are known.

CREATE TABLE end_users (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	app TEXT NOT NULL,
	name TEXT NOT NULL,
	anonymous BIGINT NOT NULL,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL,
	UNIQUE (app, name)
);

CREATE TABLE conversations (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	end_user BIGINT NOT NULL REFERENCES end_users (seq),
	name TEXT NOT NULL,
	named BIGINT NOT NULL,
	inputs TEXT NOT NULL,
	introduction TEXT NOT NULL,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL,
	deleted BIGINT NOT NULL DEFAULT 0
);
-- Each lists a user's page in order without sorting.
CREATE INDEX conversations_by_update
	ON conversations (end_user, deleted, updated_us, seq);
CREATE INDEX conversations_by_creation
	ON conversations (end_user, deleted, created_us, seq);

-- state: 0 running, 1 normal, 2 error.  A running row is believed until
-- alive_until_us, which whoever answers moves on.
CREATE TABLE messages (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	conversation BIGINT NOT NULL REFERENCES conversations (seq),
	end_user BIGINT NOT NULL REFERENCES end_users (seq),
	bot TEXT NOT NULL,
	state BIGINT NOT NULL,
	alive_until_us BIGINT NOT NULL,
	created_us BIGINT NOT NULL,
	inputs TEXT NOT NULL,
	query TEXT NOT NULL,
	answer TEXT NOT NULL,
	error TEXT,
	resources TEXT NOT NULL,
	n_files BIGINT NOT NULL,
	prompt_tokens BIGINT NOT NULL,
	answer_tokens BIGINT NOT NULL,
	latency_s DOUBLE PRECISION NOT NULL,
	total_price TEXT,
	currency TEXT
);
CREATE INDEX messages_by_conversation ON messages (conversation, seq);
-- Small: holds what runs now, for the cap of a bot.
CREATE INDEX messages_running ON messages (bot, alive_until_us)
	WHERE state = 0;

CREATE TABLE feedback (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	app TEXT NOT NULL,
	message BIGINT NOT NULL REFERENCES messages (seq),
	end_user BIGINT NOT NULL REFERENCES end_users (seq),
	rating TEXT NOT NULL,
	content TEXT,
	created_us BIGINT NOT NULL,
	updated_us BIGINT NOT NULL,
	UNIQUE (message, end_user)
);
CREATE INDEX feedback_by_app ON feedback (app, created_us, id);
