/*
 * The database driver for SQLite.
 *
 * What was measured and follows from it (deployment facts, sections 1 and
 * 6): writers begin immediately; the busy handler sleeps 0.5 to 4.5 ms at
 * random, because SQLite's own is unfair; WAL where the file system allows,
 * a rollback journal elsewhere.  A connection keeps little memory (a small
 * page cache, no lookaside), because some are kept for long.
 */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/state_file.h"
#include "store/sqlite_calls.h"

#define STATEMENTS_MAX 128
/* Emptying the log costs about as much as reading so many of its frames. */
#define EMPTYING_FRAMES 250
/* Bytes of a log that others than its maker have written to. */
#define LOG_LENGTH_LONG (16 * (24 + 4096))
#define LOG_FRAMES_MAX 1000 /* moved at once, as SQLite does by itself */

struct db_stmt {
	struct db *db;
	const char *sql; /* its key, by address */
	sqlite3_stmt *stmt;
	int bind_result;
	bool in_use;
};

struct db {
	sqlite3 *handle;
	int64_t busy_timeout_ms;
	int64_t busy_since_ms;
	uint32_t jitter;
	int log_frames; /* in the write-ahead log after our last commit */
	bool leaves_log; /* longer than the process */
	bool log_was_long; /* when it was opened */
	bool syncs;      /* db_commit() does, not SQLite */
	atomic_bool *log_synced, own_log_synced;
	bool wrote;      /* into the log, with the last commit */
	char journal[16];
	struct db_stmt *statements[STATEMENTS_MAX];
	size_t n_statements;
};

static enum err
err_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_NONE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_STORE_BUSY;
	case SQLITE_FULL:
		return ERR_STORE_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ERR_STORE_READONLY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_STORE_CORRUPT;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_CONSTRAINT:
		return ERR_CONFLICT;
	default:
		return ERR_STORE;
	}
}

/* The log's index could not be made longer, say. */
static enum err
err_of_failure(struct db *db, int code)
{
	enum err err = err_of(code);

	return err == ERR_STORE && db->handle != NULL &&
		(sqlite3_system_errno(db->handle) == ENOSPC ||
		    sqlite3_extended_errcode(db->handle) ==
			SQLITE_IOERR_SHMSIZE)
	    ? ERR_STORE_FULL
	    : err;
}

static enum err
failed(struct db *db, const char *what, int code)
{
	enum err err = err_of_failure(db, code);

	if (err != ERR_STORE_BUSY && err != ERR_CONFLICT)
		log_error("store: %s: %s (SQLite %d)", what,
		    sqlite3_errmsg(db->handle),
		    sqlite3_extended_errcode(db->handle));
	return err;
}

/* Waits a little, at random, until the time-out has passed in all. */
static int
wait_for_others(void *arg, int tries)
{
	struct db *db = arg;
	struct timespec pause = {0, 0};
	int64_t now = clock_monotonic_ms();

	if (tries == 0)
		db->busy_since_ms = now;
	else if (now - db->busy_since_ms >= db->busy_timeout_ms)
		return 0;
	db->jitter = db->jitter * 1664525U + 1013904223U;
	pause.tv_nsec = 500000L + (long)((db->jitter >> 8) % 4000000U);
	(void)nanosleep(&pause, NULL);
	return 1;
}

/* WAL needs memory shared between processes: not over a network. */
static bool
is_network_file(const char *path)
{
	static const unsigned long network[] = {
	    0x6969UL,     /* NFS */
	    0xFF534D42UL, /* CIFS */
	    0xFE534D42UL, /* SMB2 */
	    0x517BUL,     /* SMB */
	    0x65735546UL, /* FUSE */
	    0x01021997UL, /* 9P */
	    0x5346414FUL, /* AFS */
	};
	struct statfs fs;
	size_t i;

	if (statfs(path, &fs) != 0)
		return false;
	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if (((unsigned long)fs.f_type & 0xFFFFFFFFUL) == network[i])
			return true;
	return false;
}

static int
read_journal(void *arg, int columns, char **values, char **names)
{
	struct db *db = arg;

	(void)names;
	if (columns > 0 && values[0] != NULL)
		(void)sqlite3_snprintf(sizeof(db->journal), db->journal, "%s",
		    values[0]);
	return 0;
}

static int
count_frames(void *arg, sqlite3 *handle, const char *name, int frames)
{
	struct db *db = arg;

	db->wrote = true;
	db->log_frames = frames;
	if (frames >= LOG_FRAMES_MAX)
		(void)sqlite3_wal_checkpoint_v2(handle, name,
		    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

/* ---- the log of processes that live for one request ---------------------- */

/*
 * The last connection to close moves the log into the database and deletes
 * it: three more waits for the disk, at the end of nearly every CGI request.
 * Instead the log stays for later processes to read, and whoever has made it
 * long moves it when leaving (db_leave).  It must be emptied then: the next
 * process could not tell what has been moved already.  Long is when those
 * who opened it have spent as much on reading it as emptying costs: with
 * f frames now, k for each of them, they have read f * f / 2k.
 *
 * What SQLite would do to the files then, and need not, is left out by
 * store/sqlite_calls.h.
 */
static sqlite3_file *
log_file(const struct db *db)
{
	sqlite3_file *log = NULL;

	return sqlite3_file_control(db->handle, "main",
		   SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
		log != NULL && log->pMethods != NULL
	    ? log : NULL;
}

static void
leave_log(struct db *db)
{
	sqlite3_file *log = log_file(db);
	sqlite3_int64 length = 0;
	int keep = 1;

	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL);
	(void)sqlite3_file_control(db->handle, "main",
	    SQLITE_FCNTL_PERSIST_WAL, &keep);
	db->leaves_log = true;
	db->log_was_long = log != NULL &&
	    log->pMethods->xFileSize(log, &length) == SQLITE_OK &&
	    length >= LOG_LENGTH_LONG;
	atomic_store(db->log_synced, db->log_was_long);
}

void
db_leave(struct db *db)
{
	int64_t frames = db->log_frames;
	int own = 0, max;

	if (db == NULL || !db->leaves_log || frames == 0)
		return;
	(void)sqlite3_db_status(db->handle, SQLITE_DBSTATUS_CACHE_WRITE, &own,
	    &max, 0);
	if (frames * frames < (int64_t)2 * own * EMPTYING_FRAMES)
		return;
	(void)sqlite3_busy_handler(db->handle, NULL, NULL);
	sqlite_calls_skip(SQLITE_CALLS_CUT_LOG);
	(void)sqlite3_wal_checkpoint_v2(db->handle, NULL,
	    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite_calls_skip(SQLITE_CALLS_NONE);
}

/* ---- opening ------------------------------------------------------------ */

/*
 * A commit into a write-ahead log is whole once it is written; what keeps it
 * is one fdatasync of the log, and that serves every commit before it.  So a
 * connection commits without (which is what "NORMAL" means with a log) and
 * syncs afterwards, when the next writer is at work already.
 */
static int
set_durable(struct db *db, const struct db_options *options)
{
	db->syncs = options->durable && strcmp(db->journal, "wal") == 0;
	return sqlite3_exec(db->handle, options->durable && !db->syncs
		? "PRAGMA synchronous=FULL"
		: "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
}

static int
set_journal(struct db *db, const char *path, const struct db_options *options)
{
	int code;

	if (options->short_lived)
		sqlite_calls_skip(SQLITE_CALLS_CUT_INDEX);
	code = sqlite3_exec(db->handle, "PRAGMA journal_mode", read_journal,
	    db, NULL);
	sqlite_calls_skip(SQLITE_CALLS_NONE);

	if (code != SQLITE_OK || options->read_only)
		return code;
	if (is_network_file(path))
		return strcmp(db->journal, "wal") != 0
		    ? SQLITE_OK
		    : sqlite3_exec(db->handle, "PRAGMA journal_mode=DELETE",
			  read_journal, db, NULL);
	if (strcmp(db->journal, "wal") != 0)
		code = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL",
		    read_journal, db, NULL);
	(void)sqlite3_wal_hook(db->handle, count_frames, db);
	if (options->short_lived)
		leave_log(db);
	/* Another process may be reading the new file: the rollback journal
	 * serves until the next start. */
	return code == SQLITE_BUSY ? SQLITE_OK : code;
}

static int
configure(struct db *db, const char *path, const struct db_options *options)
{
	int code = SQLITE_OK;

	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0,
	    0);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1,
	    NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL);
	(void)sqlite3_busy_handler(db->handle, wait_for_others, db);
	/* What a process of one request has no time to profit from. */
	if (!options->short_lived)
		code = sqlite3_exec(db->handle,
		    "PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY;"
		    "PRAGMA journal_size_limit=16777216;",
		    NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return code;
	code = set_journal(db, path, options);
	return code == SQLITE_OK ? set_durable(db, options) : code;
}

void
db_single_thread(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* Pages one by one: they fit where reading the log's frames was. */
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

enum err
db_open(const char *path, const struct db_options *options, struct db **out,
    const char **why)
{
	static _Thread_local char reason[256];
	struct db *db = calloc(1, sizeof(*db));
	int flags = SQLITE_OPEN_NOMUTEX | (options->read_only
		? SQLITE_OPEN_READONLY
		: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	enum err err;
	int code;

	*out = NULL;
	if (why != NULL)
		*why = "out of memory";
	if (db == NULL)
		return ERR_MEMORY;
	db->busy_timeout_ms = options->busy_timeout_ms;
	db->log_synced = options->log_synced != NULL ? options->log_synced
						     : &db->own_log_synced;
	db->jitter = (uint32_t)clock_monotonic_us() ^
	    (uint32_t)(uintptr_t)db;
	if (options->short_lived)
		sqlite_calls_replace();
	/* An empty file is a new database, and its log takes its mode. */
	if (!options->read_only)
		state_file_make(path);
	code = sqlite3_open_v2(path, &db->handle, flags, NULL);
	if (code == SQLITE_OK)
		code = configure(db, path, options);
	if (code != SQLITE_OK) {
		(void)sqlite3_snprintf(sizeof(reason), reason, "%s",
		    db->handle == NULL ? "out of memory"
				       : sqlite3_errmsg(db->handle));
		if (why != NULL)
			*why = reason;
		err = err_of_failure(db, code);
		db_close(db);
		return err;
	}
	*out = db;
	return ERR_NONE;
}

bool
db_moved(struct db *db)
{
	int moved = 0;

	return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved) == SQLITE_OK && moved != 0;
}

void
db_close(struct db *db)
{
	size_t i;

	if (db == NULL)
		return;
	db_leave(db);
	for (i = 0; i < db->n_statements; i++) {
		(void)sqlite3_finalize(db->statements[i]->stmt);
		free(db->statements[i]);
	}
	(void)sqlite3_close(db->handle);
	free(db);
}

/* A statement of this text that nobody uses at the moment. */
static struct db_stmt *
find_statement(struct db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < db->n_statements; i++)
		if (db->statements[i]->sql == sql &&
		    !db->statements[i]->in_use)
			return db->statements[i];
	return NULL;
}

/* Room for one more statement: the table, or the place of an idle one. */
static struct db_stmt *
new_statement(struct db *db)
{
	struct db_stmt *s;
	size_t i;

	if (db->n_statements < STATEMENTS_MAX) {
		s = calloc(1, sizeof(*s));
		if (s != NULL)
			db->statements[db->n_statements++] = s;
		return s;
	}
	for (i = 0; i < db->n_statements; i++) {
		s = db->statements[i];
		if (s->in_use)
			continue;
		(void)sqlite3_finalize(s->stmt);
		*s = (struct db_stmt){.db = db};
		return s;
	}
	return NULL;
}

struct db_stmt *
db_prepare(struct db *db, const char *sql)
{
	struct db_stmt *s = find_statement(db, sql);

	if (s == NULL) {
		s = new_statement(db);
		if (s == NULL)
			return NULL;
		s->db = db;
		s->sql = sql;
		s->bind_result = sqlite3_prepare_v3(db->handle, sql, -1,
		    SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
		if (s->stmt == NULL) {
			/* Kept out of reuse: it fails at its first step. */
			s->sql = NULL;
		}
	}
	s->in_use = true;
	return s;
}

static bool
can_bind(const struct db_stmt *s)
{
	return s != NULL && s->bind_result == SQLITE_OK;
}

void
db_bind_int(struct db_stmt *s, int at, int64_t value)
{
	if (can_bind(s))
		s->bind_result = sqlite3_bind_int64(s->stmt, at, value);
}

void
db_bind_double(struct db_stmt *s, int at, double value)
{
	if (can_bind(s))
		s->bind_result = sqlite3_bind_double(s->stmt, at, value);
}

void
db_bind_text(struct db_stmt *s, int at, struct span text)
{
	if (!can_bind(s))
		return;
	if (text.data == NULL)
		s->bind_result = sqlite3_bind_null(s->stmt, at);
	else
		s->bind_result = sqlite3_bind_text64(s->stmt, at, text.data,
		    text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void
db_bind_cstring(struct db_stmt *s, int at, const char *text)
{
	db_bind_text(s, at, span_of(text));
}

void
db_bind_blob(struct db_stmt *s, int at, struct span bytes)
{
	if (!can_bind(s))
		return;
	if (bytes.data == NULL)
		s->bind_result = sqlite3_bind_null(s->stmt, at);
	else
		s->bind_result = sqlite3_bind_blob64(s->stmt, at, bytes.data,
		    bytes.len, SQLITE_STATIC);
}

void
db_bind_null(struct db_stmt *s, int at)
{
	if (can_bind(s))
		s->bind_result = sqlite3_bind_null(s->stmt, at);
}

enum err
db_step(struct db_stmt *s, bool *row)
{
	int code;

	*row = false;
	if (s == NULL)
		return ERR_MEMORY;
	if (s->bind_result != SQLITE_OK)
		return failed(s->db, s->sql == NULL ? "prepare" : "bind",
		    s->bind_result);
	code = sqlite3_step(s->stmt);
	*row = code == SQLITE_ROW;
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return ERR_NONE;
	return failed(s->db, "statement", code);
}

int64_t
db_int(struct db_stmt *s, int column)
{
	return sqlite3_column_int64(s->stmt, column);
}

double
db_double(struct db_stmt *s, int column)
{
	return sqlite3_column_double(s->stmt, column);
}

bool
db_is_null(struct db_stmt *s, int column)
{
	return sqlite3_column_type(s->stmt, column) == SQLITE_NULL;
}

struct span
db_text(struct db_stmt *s, int column)
{
	struct span text;

	if (db_is_null(s, column))
		return SPAN_NONE;
	text.data = sqlite3_column_blob(s->stmt, column);
	text.len = (size_t)sqlite3_column_bytes(s->stmt, column);
	if (text.data == NULL)
		text.data = ""; /* SQLite gives NULL for an empty one */
	return text;
}

struct span
db_text_copy(struct db_stmt *s, int column, struct arena *a)
{
	struct span text = db_text(s, column);

	if (text.data == NULL)
		return text;
	text.data = arena_strndup(a, text.data, text.len);
	if (text.data == NULL)
		text.len = 0;
	return text;
}

const char *
db_cstring_copy(struct db_stmt *s, int column, struct arena *a)
{
	return db_text_copy(s, column, a).data;
}

void
db_done(struct db_stmt *s)
{
	if (s == NULL)
		return;
	if (s->stmt != NULL) {
		(void)sqlite3_reset(s->stmt);
		(void)sqlite3_clear_bindings(s->stmt);
		s->bind_result = SQLITE_OK;
	}
	s->in_use = false;
}

enum err
db_run(struct db_stmt *s)
{
	bool row;
	enum err err = db_step(s, &row);

	db_done(s);
	return err;
}

int64_t
db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

enum err
db_exec(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? ERR_NONE : failed(db, "statement", code);
}

bool
db_has_table(struct db *db, const char *name)
{
	return sqlite3_table_column_metadata(db->handle, NULL, name, NULL,
		   NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

void
db_make_room(struct db *db)
{
	(void)sqlite3_wal_checkpoint_v2(db->handle, NULL,
	    SQLITE_CHECKPOINT_RESTART, NULL, NULL);
}

enum err
db_note_version(struct db *db, int64_t version)
{
	char pragma[48];

	(void)sqlite3_snprintf(sizeof(pragma), pragma,
	    "PRAGMA user_version=%lld", (long long)version);
	return db_exec(db, pragma);
}

enum err
db_begin(struct db *db)
{
	int64_t from_us = metrics_on() ? clock_monotonic_us() : 0;
	enum err err = db_run(db_prepare(db, "BEGIN IMMEDIATE"));

	if (from_us != 0)
		metrics_observe_us(METRICS_TIME_STORE,
		    clock_monotonic_us() - from_us);
	return err;
}

enum err
db_begin_read(struct db *db)
{
	return db_run(db_prepare(db, "BEGIN"));
}

enum err
db_commit_unsynced(struct db *db)
{
	enum err err;

	db->wrote = false;
	err = db_run(db_prepare(db, "COMMIT"));
	if (err != ERR_NONE)
		db_rollback(db);
	else if (db_unsynced(db) && !atomic_load(db->log_synced))
		err = db_sync(db);
	return err;
}

enum err
db_sync(struct db *db)
{
	sqlite3_file *log;
	int code = SQLITE_ERROR;

	if (!db->syncs)
		return ERR_NONE;
	log = log_file(db);
	if (db->log_was_long)
		sqlite_calls_skip(SQLITE_CALLS_SYNC_NAME);
	if (log != NULL)
		code = log->pMethods->xSync(log,
		    SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
	sqlite_calls_skip(SQLITE_CALLS_NONE);
	if (code == SQLITE_OK) {
		atomic_store(db->log_synced, true);
		db->wrote = false;
		return ERR_NONE;
	}
	log_error("store: a commit could not be synced (SQLite %d)", code);
	return ERR_STORE_UNSYNCED;
}

bool
db_unsynced(const struct db *db)
{
	return db->syncs && db->wrote;
}

enum err
db_commit(struct db *db)
{
	enum err err = db_commit_unsynced(db);

	return err == ERR_NONE && db_unsynced(db) ? db_sync(db) : err;
}

void
db_rollback(struct db *db)
{
	if (db_in_transaction(db))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* The transaction is the only one that writes. */
enum err
db_lock(struct db *db, const char *name)
{
	assert(name[0] != '\0');
	return sqlite3_txn_state(db->handle, NULL) == SQLITE_TXN_WRITE
	    ? ERR_NONE : ERR_STORE;
}

bool
db_in_transaction(struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

const char *
db_journal(struct db *db)
{
	return db->journal;
}

void *
db_native(struct db *db)
{
	return db->handle;
}
