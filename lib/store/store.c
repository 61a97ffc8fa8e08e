/*
 * The store pool and the schema's versions.
 *
 * PRAGMA user_version tells how many of the migrations a database has had, so
 * that an open needs one read; schema_steps tells which.  A larger number
 * than this program knows is refused: an older program must not write what a
 * newer one has laid out.
 */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "config/config.h"
#include "store/migrations.h"
#include "store/writer.h"

#define POOL_MAX 64
#define LOG_EVERY_MS 60000

struct store_pool {
	const struct config *config;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct db *idle[POOL_MAX];
	int n_idle, n_out, max;
	int64_t logged_ms;   /* when a failure was last logged; 0: never */
	struct writer *writer;
	atomic_bool log_synced; /* db_options */
};

const char *
store_path(const struct config *config, struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", config->server.state, name);
}

struct store_pool *
store_pool_new(const struct config *config, int max)
{
	struct store_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->config = config;
	p->writer = writer_new(p, max <= 1);
	if (p->writer == NULL) {
		free(p);
		return NULL;
	}
	p->max = max < 1 ? 1 : max > POOL_MAX ? POOL_MAX : max;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->returned, NULL);
	return p;
}

void
store_pool_free(struct store_pool *p)
{
	if (p == NULL)
		return;
	writer_free(p->writer);
	while (p->n_idle > 0)
		db_close(p->idle[--p->n_idle]);
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void
store_pool_leave(struct store_pool *p)
{
	int i;

	for (i = 0; p != NULL && i < p->n_idle; i++)
		db_leave(p->idle[i]);
}

struct writer *
store_pool_writer(const struct store_pool *p)
{
	return p->writer;
}

static enum err
schema_version(struct db *db, int64_t *version)
{
	struct db_stmt *s = db_prepare(db, "PRAGMA user_version");
	bool row;
	enum err err = db_step(s, &row);

	if (err == ERR_NONE)
		*version = row ? db_int(s, 0) : 0;
	db_done(s);
	return err;
}

static enum err
has_step(struct db *db, const char *name, bool *has)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT 1 FROM schema_steps WHERE name = ?1");
	enum err err;

	db_bind_cstring(s, 1, name);
	err = db_step(s, has);
	db_done(s);
	return err;
}

static enum err
apply_step(struct db *db, const struct migration *step)
{
	struct db_stmt *s;
	bool has;
	enum err err = has_step(db, step->name, &has);

	if (err != ERR_NONE || has)
		return err;
	err = db_exec(db, step->sql);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "INSERT INTO schema_steps (name) VALUES (?1)");
	db_bind_cstring(s, 1, step->name);
	return db_run(s);
}

/* One transaction for all missing steps: killed in between, none is done. */
static enum err
migrate(struct db *db, const char **why)
{
	char pragma[48];
	int64_t version = 0;
	enum err err = schema_version(db, &version);
	int i;

	if (err != ERR_NONE || version == migrations_count)
		return err;
	if (version > migrations_count) {
		*why = "made by a newer version of this program";
		return ERR_STORE;
	}
	err = db_begin(db);
	if (err == ERR_NONE)
		err = db_exec(db, "CREATE TABLE IF NOT EXISTS schema_steps "
				  "(name TEXT PRIMARY KEY NOT NULL) "
				  "WITHOUT ROWID");
	for (i = 0; err == ERR_NONE && i < migrations_count; i++)
		err = apply_step(db, &migrations[i]);
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d",
	    migrations_count);
	if (err == ERR_NONE)
		err = db_exec(db, pragma);
	if (err == ERR_NONE)
		return db_commit(db);
	db_rollback(db);
	return err;
}

/* Opens and migrates; *why is set when the result is not ERR_NONE. */
static enum err
open_store(const struct config *config, bool short_lived,
    atomic_bool *log_synced, struct db **db, const char **why)
{
	struct db_options options = {
	    .busy_timeout_ms = config->server.busy_timeout_ms,
	    .durable = config->server.durable,
	    .short_lived = short_lived,
	    .log_synced = log_synced,
	};
	char path[4096];
	struct stat st;
	enum err err;

	*db = NULL;
	if ((size_t)snprintf(path, sizeof(path), "%s/parlance.db",
		config->server.state) >= sizeof(path)) {
		*why = "the path of the state folder is too long";
		return ERR_STORE;
	}
	if (stat(config->server.state, &st) != 0) {
		*why = errno == ENOENT ? "the state folder does not exist"
				       : "the state folder cannot be entered";
		return ERR_STORE;
	}
	err = db_open(path, &options, db, why);
	if (err != ERR_NONE)
		return err;
	*why = NULL;
	err = migrate(*db, why);
	if (err == ERR_NONE)
		return ERR_NONE;
	if (*why == NULL)
		*why = err_text(err);
	db_close(*db);
	*db = NULL;
	return err;
}

/* Waits until a connection is free or may be made.  Under the lock. */
static void
await_connection(struct store_pool *p)
{
	int64_t from_us;

	if (p->n_idle > 0 || p->n_out < p->max)
		return;
	from_us = clock_monotonic_us();
	while (p->n_idle == 0 && p->n_out >= p->max)
		(void)pthread_cond_wait(&p->returned, &p->lock);
	metrics_observe_us(METRICS_TIME_STORE,
	    clock_monotonic_us() - from_us);
}

enum err
store_pool_open(struct store_pool *p, struct db **db)
{
	const char *why = NULL;
	enum err err = open_store(p->config, p->max == 1, &p->log_synced, db,
	    &why);
	bool log;

	(void)pthread_mutex_lock(&p->lock);
	log = err != ERR_NONE && (p->logged_ms == 0 ||
	    clock_monotonic_ms() - p->logged_ms >= LOG_EVERY_MS);
	if (err == ERR_NONE)
		p->logged_ms = 0;
	else if (log)
		p->logged_ms = clock_monotonic_ms();
	(void)pthread_mutex_unlock(&p->lock);
	if (log)
		log_error("store: %s/parlance.db: %s", p->config->server.state,
		    why);
	return err;
}

enum err
store_lease(struct store_pool *p, struct db **db)
{
	enum err err;

	*db = NULL;
	(void)pthread_mutex_lock(&p->lock);
	await_connection(p);
	if (p->n_idle > 0)
		*db = p->idle[--p->n_idle];
	p->n_out++;
	(void)pthread_mutex_unlock(&p->lock);
	/* Somebody removed the file, or put another in its place: nobody
	 * would ever read what we wrote to the old one. */
	if (*db != NULL && db_moved(*db)) {
		atomic_store(&p->log_synced, false);
		db_close(*db);
		*db = NULL;
	}
	if (*db != NULL)
		return ERR_NONE;

	err = store_pool_open(p, db);
	if (err == ERR_NONE)
		return ERR_NONE;
	(void)pthread_mutex_lock(&p->lock);
	p->n_out--;
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}

void
store_return(struct store_pool *p, struct db *db)
{
	if (db == NULL)
		return;
	db_rollback(db);
	(void)pthread_mutex_lock(&p->lock);
	p->idle[p->n_idle++] = db;
	p->n_out--;
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
}

static void
explain(const struct config *config, enum err err, const char *reason,
    struct buf *why)
{
	const char *state = config->server.state;

	buf_printf(why, "%s/parlance.db: %s", state, reason);
	switch (err) {
	case ERR_STORE_BUSY:
		buf_adds(why, "; another process holds it: end that process, "
			      "or raise busy_timeout in [server]");
		break;
	case ERR_STORE_FULL:
		buf_adds(why, "; free some space on that disk");
		break;
	case ERR_STORE_CORRUPT:
		buf_adds(why, "; restore it from a backup, or move it away to "
			      "begin anew");
		break;
	case ERR_STORE_READONLY:
		buf_printf(why, "; the user of the web server must be able "
				"to write: chown it, and chmod 0700 %s", state);
		break;
	default:
		break;
	}
}

enum err
store_check(const struct config *config, struct buf *why)
{
	const char *state = config->server.state, *reason = NULL;
	struct stat st;
	struct db *db;
	enum err err;

	if (stat(state, &st) != 0) {
		buf_printf(why, "state folder %s: %s; make it with: "
				"mkdir -p -m 0700 %s", state, strerror(errno),
		    state);
		return ERR_STORE;
	}
	if (!S_ISDIR(st.st_mode)) {
		buf_printf(why, "state folder %s: is not a folder", state);
		return ERR_STORE;
	}
	if (access(state, W_OK | X_OK) != 0) {
		buf_printf(why, "state folder %s: cannot be written by user "
				"%d; chown it to the user of the web server",
		    state, (int)geteuid());
		return ERR_STORE_READONLY;
	}
	err = open_store(config, false, NULL, &db, &reason);
	if (err == ERR_NONE)
		err = db_begin(db); /* can it be written, and soon? */
	if (err != ERR_NONE && reason == NULL)
		reason = err_text(err);
	if (err != ERR_NONE)
		explain(config, err, reason, why);
	if (db != NULL)
		db_rollback(db);
	db_close(db);
	return err;
}
