-- How far the daily look for conversations that are older than their days has
-- come, as the row of uploads tells it: conversations.seq.
INSERT INTO cleaning (id, reached, finished_us) VALUES (2, 0, 0);

-- What conversations that were removed had used: sums without a word of
-- anybody, so that `parlance usage` stays true.  price is one turn's.
CREATE TABLE usage_kept (
	day BIGINT NOT NULL,
	app TEXT NOT NULL,
	bot TEXT NOT NULL,
	currency TEXT NOT NULL,
	price TEXT NOT NULL,
	questions BIGINT NOT NULL,
	failed BIGINT NOT NULL,
	prompt_tokens BIGINT NOT NULL,
	answer_tokens BIGINT NOT NULL,
	PRIMARY KEY (day, app, bot, currency, price)
);
