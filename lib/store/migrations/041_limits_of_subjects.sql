-- Limits of any list of subjects (lib/limits): "key:NAME", "user:KEY:ID",
-- "bot:UID", and what a view adds, such as "address:HASH".

-- What a running turn holds of each of its subjects: rows of one id.  They
-- are deleted in the transaction that counts what was used, so that this
-- happens once.
CREATE TABLE limit_holds (
	subject TEXT NOT NULL,
	id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	tokens BIGINT NOT NULL,
	owner TEXT NOT NULL,
	expires_us BIGINT NOT NULL,
	alive_until_us BIGINT NOT NULL,
	PRIMARY KEY (subject, id)
);
CREATE INDEX limit_holds_id ON limit_holds (id);
CREATE INDEX limit_holds_expiry ON limit_holds (expires_us);

-- Turns of an hour or a day, counted from 1970-01-01; window_s is 3600 or
-- 86400.  Those of the last minute are rows of limit_requests.
CREATE TABLE limit_counts (
	subject TEXT NOT NULL,
	window_s BIGINT NOT NULL,
	number BIGINT NOT NULL,
	requests BIGINT NOT NULL,
	PRIMARY KEY (subject, window_s, number)
);
CREATE INDEX limit_counts_age ON limit_counts (window_s, number);

INSERT INTO limit_holds (subject, id, day, tokens, owner, expires_us,
	alive_until_us)
SELECT 'key:' || substr(key_subject, 3), id, day, tokens, owner, expires_us,
	alive_until_us FROM limit_reservations WHERE key_subject <> '';
INSERT INTO limit_holds (subject, id, day, tokens, owner, expires_us,
	alive_until_us)
SELECT 'user:' || substr(user_subject, 3), id, day, tokens, owner,
	expires_us, alive_until_us FROM limit_reservations
	WHERE user_subject <> '';
INSERT INTO limit_holds (subject, id, day, tokens, owner, expires_us,
	alive_until_us)
SELECT 'bot:' || substr(bot_subject, 3), id, day, tokens, owner, expires_us,
	alive_until_us FROM limit_reservations WHERE bot_subject <> '';
-- It stays, empty: a process of the version before, which gives its last
-- answers, finds nothing to settle there, and what it held is counted as
-- used when it ends.
DELETE FROM limit_reservations;

UPDATE limit_tokens SET subject = 'key:' || substr(subject, 3)
	WHERE substr(subject, 1, 2) = 'k:';
UPDATE limit_tokens SET subject = 'user:' || substr(subject, 3)
	WHERE substr(subject, 1, 2) = 'u:';
UPDATE limit_requests SET subject = 'key:' || substr(subject, 3)
	WHERE substr(subject, 1, 2) = 'k:';
UPDATE limit_requests SET subject = 'user:' || substr(subject, 3)
	WHERE substr(subject, 1, 2) = 'u:';
