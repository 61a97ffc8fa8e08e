/* The schema's steps, made from lib/store/migrations/NNN_*.sql by the
 * Makefile: step i takes a database from version i to version i + 1. */
#ifndef PARLANCE_MIGRATIONS_H
#define PARLANCE_MIGRATIONS_H

extern const char *const migrations[]; /* SQL texts; NULL at the end */
extern const int migrations_count;

#endif
