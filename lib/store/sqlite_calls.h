/*
 * System calls that SQLite makes and a process of one request leaves out
 * (sqlite3_vfs.xSetSystemCall), around those of SQLite's functions where the
 * thread says so.
 */
#ifndef PARLANCE_SQLITE_CALLS_H
#define PARLANCE_SQLITE_CALLS_H

enum sqlite_calls {
	SQLITE_CALLS_NONE,
	/* Emptying the log does not cut it off; zeros in the place of its
	 * header say that nothing is in it. */
	SQLITE_CALLS_CUT_LOG,
	/* Opening the database alone does not cut the log's index to three
	 * bytes; zeros do here, too. */
	SQLITE_CALLS_CUT_INDEX,
	/* The log's name is on the disk: its folder is not synced. */
	SQLITE_CALLS_SYNC_NAME
};

/* Puts ours in the place of SQLite's, once; until a thread skips something
 * they do the same. */
void sqlite_calls_replace(void);

/* What this thread leaves out from now on; without sqlite_calls_replace()
 * nothing. */
void sqlite_calls_skip(enum sqlite_calls which);

#endif
