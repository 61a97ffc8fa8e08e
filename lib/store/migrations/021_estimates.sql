-- Whether a message's tokens were counted here, not told by the upstream.
ALTER TABLE messages ADD COLUMN estimated BIGINT NOT NULL DEFAULT 0;
