-- Answers written by hand, kept for a bot.  question_key is the question
-- with case, accents and punctuation folded away; what a question is matched
-- by first.

CREATE TABLE annotations (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	bot TEXT NOT NULL,
	question TEXT NOT NULL,
	question_key TEXT NOT NULL,
	answer TEXT NOT NULL,
	hit_count BIGINT NOT NULL,
	created_us BIGINT NOT NULL
);
CREATE INDEX annotations_by_bot ON annotations (bot, created_us, seq);
CREATE INDEX annotations_by_key ON annotations (bot, question_key);

-- Set over the API; without a row the configuration file decides.
CREATE TABLE annotation_reply (
	bot TEXT PRIMARY KEY,
	enabled BIGINT NOT NULL,
	threshold DOUBLE PRECISION NOT NULL
);

CREATE TABLE annotation_jobs (
	id TEXT PRIMARY KEY,
	bot TEXT NOT NULL,
	action TEXT NOT NULL,
	created_us BIGINT NOT NULL
);
