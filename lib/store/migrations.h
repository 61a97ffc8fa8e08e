/*
 * The schema's steps, made from lib/store/migrations/NNN_*.sql by the
 * Makefile, in the order of their names.  A database remembers the names of
 * those it has had.  A step that has been released means the same for ever;
 * the next change is a new file.  SQLite and PostgreSQL both take them, but
 * for INTEGER PRIMARY KEY: a number that the database gives.
 */
#ifndef PARLANCE_MIGRATIONS_H
#define PARLANCE_MIGRATIONS_H

struct migration {
	const char *name; /* "001_messages" */
	const char *sql;
};

extern const struct migration migrations[];
extern const int migrations_count;

#endif
