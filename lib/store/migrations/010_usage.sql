-- The bot API's usage (contracts/chat.md 9): one row for each key, end user
-- and UTC day with any.  day counts from 1970-01-01.
CREATE TABLE usage_days (
	account TEXT NOT NULL,
	end_user TEXT NOT NULL,
	day BIGINT NOT NULL,
	original_tokens BIGINT NOT NULL,
	enhancement_tokens BIGINT NOT NULL,
	response_tokens BIGINT NOT NULL,
	original_words BIGINT NOT NULL,
	enhancement_words BIGINT NOT NULL,
	response_words BIGINT NOT NULL,
	PRIMARY KEY (account, end_user, day)
);
