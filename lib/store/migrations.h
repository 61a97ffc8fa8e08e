/*
 * The schema's steps, made from lib/store/migrations/NNN_*.sql by the
 * Makefile, in the order of their names.  A database remembers the names of
 * those it has had.  A step that has been released never changes; the next
 * change is a new file.
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
