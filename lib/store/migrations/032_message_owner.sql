-- Which process answers a running message (base/process.h): when it is known
-- to be dead, nobody waits for the message's minute to pass.
ALTER TABLE messages ADD COLUMN owner TEXT;
