/*
 * The database, whatever it is: connect, bind, step, transaction.  SQL is
 * constant text with bound values.  One connection is used by one thread at
 * a time.  Engine-specific parts stay in db_sqlite.c.
 */
#ifndef PARLANCE_DB_H
#define PARLANCE_DB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

struct db;

struct db_options {
	int64_t busy_timeout_ms; /* how long to wait for another writer */
	bool durable;            /* every commit is on the disk */
	bool short_lived;        /* a CGI process: closing does not
	                          * checkpoint, so that a request pays for
	                          * its own commit only */
	bool read_only;
	/* Shared by the connections of a process to one file, and false in the
	 * beginning: one of them has synced the log, so that its name is on
	 * the disk.  NULL: each for itself. */
	atomic_bool *log_synced;
};

/* From now on this process has one thread alone: no locks, no counts.  Before
 * the first db_open(). */
void db_single_thread(void);

/* Opens (and creates, unless read_only) the file.  WAL where the file
 * system allows, else a rollback journal.  The reason of a failure is in
 * why (static or in a thread's buffer; may be NULL). */
enum err db_open(const char *path, const struct db_options *options,
    struct db **db, const char **why) __attribute__((warn_unused_result));
void db_close(struct db *db); /* NULL is fine */
/* What a close does for the sake of other processes, when this one ends now:
 * a short-lived connection empties a long log.  NULL is fine. */
void db_leave(struct db *db);

/* A prepared statement; it is kept and reused by the connection, keyed by
 * the address of sql, which must be a constant.  Values are bound by
 * position from 1 with the db_bind_ functions, which remember their errors
 * until db_step.  Finish with db_done() always. */
struct db_stmt;
struct db_stmt *db_prepare(struct db *db, const char *sql);
void db_bind_int(struct db_stmt *s, int at, int64_t value);
void db_bind_double(struct db_stmt *s, int at, double value);
/* The text must live until db_done(). NULL data binds NULL. */
void db_bind_text(struct db_stmt *s, int at, struct span text);
void db_bind_cstring(struct db_stmt *s, int at, const char *text);
void db_bind_blob(struct db_stmt *s, int at, struct span bytes);
void db_bind_null(struct db_stmt *s, int at);

/* ERR_NONE: *row tells whether there is one.  Else the statement failed;
 * it is logged once (not ERR_STORE_BUSY). */
enum err db_step(struct db_stmt *s, bool *row)
    __attribute__((warn_unused_result));
/* Columns of the current row, from 0; copies go into the arena. NULL text
 * is SPAN_NONE (data NULL). */
int64_t db_int(struct db_stmt *s, int column);
double db_double(struct db_stmt *s, int column);
bool db_is_null(struct db_stmt *s, int column);
struct span db_text(struct db_stmt *s, int column); /* until next step */
struct span db_text_copy(struct db_stmt *s, int column, struct arena *a);
const char *db_cstring_copy(struct db_stmt *s, int column, struct arena *a);
/* Makes the statement ready for its next use. NULL is fine. */
void db_done(struct db_stmt *s);

/* Runs a statement that gives no rows: step and done. */
enum err db_run(struct db_stmt *s) __attribute__((warn_unused_result));
/* Rows changed by the last statement. */
int64_t db_changes(struct db *db);

/* BEGIN IMMEDIATE: a transaction that will write. */
enum err db_begin(struct db *db) __attribute__((warn_unused_result));
/* When it returns ERR_NONE, what was changed is on the disk (durable).
 * ERR_STORE_UNSYNCED: it is committed, and may not be on the disk. */
enum err db_commit(struct db *db) __attribute__((warn_unused_result));
/*
 * In two steps, so that the next writer need not wait for the disk: others
 * read what was committed, but nobody may be told of it before db_sync(), of
 * any connection to the same database, has said ERR_NONE.  If that says
 * ERR_STORE_UNSYNCED, the change is made and may yet be lost; the first step
 * says so too where it has done the second.  db_unsynced() false: the second
 * step is not needed, there was nothing to write or the first has done it.
 */
enum err db_commit_unsynced(struct db *db)
    __attribute__((warn_unused_result));
enum err db_sync(struct db *db) __attribute__((warn_unused_result));
bool db_unsynced(const struct db *db);
void db_rollback(struct db *db); /* no transaction open: nothing */
/* BEGIN ... for several reads that must agree; end with db_commit. Never
 * hold one while a stream waits. */
enum err db_begin_read(struct db *db) __attribute__((warn_unused_result));

/* Inside a transaction that writes: until its end, no other such transaction
 * gets beyond its own call with this name.  Several names are locked in the
 * order of their bytes. */
enum err db_lock(struct db *db, const char *name)
    __attribute__((warn_unused_result));

/* SQL text without values, several statements: migrations, pragmas. */
enum err db_exec(struct db *db, const char *sql)
    __attribute__((warn_unused_result));

/* Is there a table of this name?  No: also when that cannot be found out. */
bool db_has_table(struct db *db, const char *name);

/* Where programs that are older than the table schema_version look for the
 * schema's version: they must refuse a newer one.  Inside the transaction
 * that lays the schema out. */
enum err db_note_version(struct db *db, int64_t version)
    __attribute__((warn_unused_result));

/* After ERR_STORE_FULL, outside of a transaction: what the log holds is moved
 * into the database, and the log begins anew in the room that it has. */
void db_make_room(struct db *db);

/* Is a transaction open?  A full disk may have rolled it back by itself. */
bool db_in_transaction(struct db *db);

/* Is the file that was opened no longer the one at its path: removed, or
 * replaced by another?  What is written to it is lost. */
bool db_moved(struct db *db);

/* "wal" or "delete": what is really in use. */
const char *db_journal(struct db *db);
/* The driver's own connection (sqlite3 *), for the search index's driver
 * parts only. */
void *db_native(struct db *db);

#endif
