-- A turn counts for its bot too ("b:UID"; empty: the bot has no cap), and its
-- process gives signs of life, for those who cannot see whether it lives.
ALTER TABLE limit_reservations ADD COLUMN bot_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE limit_reservations ADD COLUMN alive_until_us BIGINT NOT NULL
	DEFAULT 0;
CREATE INDEX limit_reservations_bot ON limit_reservations (bot_subject);
-- What is over its time is looked for.
CREATE INDEX limit_reservations_expiry ON limit_reservations (expires_us);
-- Served the cap of a bot, which counts reservations now.
DROP INDEX messages_running;
