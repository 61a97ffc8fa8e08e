-- Limits of keys and end users (lib/limits).  A subject is "k:KEY" or
-- "u:KEY:USER"; times are microseconds since 1970-01-01.

-- The turns of the last minute.
CREATE TABLE limit_requests (
	subject TEXT NOT NULL,
	at_us BIGINT NOT NULL
);
CREATE INDEX limit_requests_subject ON limit_requests (subject, at_us);
CREATE INDEX limit_requests_at ON limit_requests (at_us);

-- The tokens of each UTC day, counted from 1970-01-01.
CREATE TABLE limit_tokens (
	day BIGINT NOT NULL,
	subject TEXT NOT NULL,
	tokens BIGINT NOT NULL,
	PRIMARY KEY (day, subject)
);

-- The turns that are running, and what they may use at the most.  A row is
-- deleted in the transaction that counts what was used, so that this happens
-- once.
CREATE TABLE limit_reservations (
	id BIGINT PRIMARY KEY,
	key_subject TEXT NOT NULL,
	user_subject TEXT NOT NULL,
	day BIGINT NOT NULL,
	tokens BIGINT NOT NULL,
	owner TEXT NOT NULL,
	expires_us BIGINT NOT NULL
);
CREATE INDEX limit_reservations_key ON limit_reservations (key_subject);
CREATE INDEX limit_reservations_user ON limit_reservations (user_subject);
