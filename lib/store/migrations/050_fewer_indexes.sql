-- Every CGI process reads the whole schema.  Nothing is written into
-- limit_reservations any more, nor looked for by these (041).
DROP INDEX limit_reservations_key;
DROP INDEX limit_reservations_user;
DROP INDEX limit_reservations_bot;
DROP INDEX limit_reservations_expiry;
