-- How far the daily look for uploads that nothing needs has come: the last
-- files.seq looked at (0: it is done), and when it was done.
CREATE TABLE cleaning (
	id BIGINT PRIMARY KEY,
	reached BIGINT NOT NULL,
	finished_us BIGINT NOT NULL
);
INSERT INTO cleaning (id, reached, finished_us) VALUES (1, 0, 0);
