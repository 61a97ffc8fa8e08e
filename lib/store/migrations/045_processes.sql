-- Signs of life of processes that cannot be looked up from where somebody
-- looks (store/alive.h): a number that grows while a process has turns to
-- answer; dead: it was seen not to.
CREATE TABLE processes (
	name TEXT PRIMARY KEY,
	heartbeats BIGINT NOT NULL,
	dead BIGINT NOT NULL
);

-- Since when, by an observer's monotonic clock, a number is what it is.
CREATE TABLE sightings (
	observer TEXT NOT NULL,
	name TEXT NOT NULL,
	heartbeats BIGINT NOT NULL,
	since_ms BIGINT NOT NULL,
	PRIMARY KEY (observer, name)
);

-- messages.alive_until_us is not looked at any more.
ALTER TABLE tasks ADD COLUMN owner TEXT;
