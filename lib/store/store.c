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
#include <semaphore.h>
#include <stddef.h>
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

#define POOL_MOST 64
#define LOG_EVERY_MS 60000
#define DEBTS_MOST 1000 /* changes that are owed */

/* A change that waits for its transaction; on its caller's stack. */
struct write {
	store_change change;
	void *arg;
	enum err err;
	sem_t wake; /* done, or it is this one's turn to lead */
	bool leads;
	struct write *next;
};

/* A change that is owed: made with the next that can be stored. */
struct debt {
	struct debt *next;
	store_change change;
	max_align_t arg[];
};

struct store_pool {
	const struct config *config;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct db *idle[POOL_MOST];
	int n_idle, n_out, most;
	int64_t logged_ms;   /* when a failure was last logged; 0: never */
	struct write *first, **last; /* changes that wait */
	bool writing;        /* a thread leads: it makes them */
	struct debt *debts;
	int n_debts;
};

const char *
store_path(const struct config *config, struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", config->server.state, name);
}

struct store_pool *
store_pool_new(const struct config *config, int most)
{
	struct store_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->config = config;
	p->last = &p->first;
	p->most = most < 1 ? 1 : most > POOL_MOST ? POOL_MOST : most;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->returned, NULL);
	return p;
}

static void
free_debts(struct debt *list)
{
	struct debt *next;

	for (; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}

void
store_pool_free(struct store_pool *p)
{
	if (p == NULL)
		return;
	free_debts(p->debts);
	while (p->n_idle > 0)
		db_close(p->idle[--p->n_idle]);
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
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
open_store(const struct config *config, bool short_lived, struct db **db,
    const char **why)
{
	struct db_options options = {
	    .busy_timeout_ms = config->server.busy_timeout_ms,
	    .durable = config->server.durable,
	    .short_lived = short_lived,
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

	if (p->n_idle > 0 || p->n_out < p->most)
		return;
	from_us = clock_monotonic_us();
	while (p->n_idle == 0 && p->n_out >= p->most)
		(void)pthread_cond_wait(&p->returned, &p->lock);
	metrics_observe_us(METRICS_TIME_STORE,
	    clock_monotonic_us() - from_us);
}

enum err
store_lease(struct store_pool *p, struct db **db)
{
	const char *why = NULL;
	bool log;
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
		db_close(*db);
		*db = NULL;
	}
	if (*db != NULL)
		return ERR_NONE;

	err = open_store(p->config, p->most == 1, db, &why);
	(void)pthread_mutex_lock(&p->lock);
	if (err == ERR_NONE) {
		p->logged_ms = 0;
		(void)pthread_mutex_unlock(&p->lock);
		return ERR_NONE;
	}
	p->n_out--;
	log = p->logged_ms == 0 ||
	    clock_monotonic_ms() - p->logged_ms >= LOG_EVERY_MS;
	if (log)
		p->logged_ms = clock_monotonic_ms();
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
	if (log)
		log_error("store: %s/parlance.db: %s", p->config->server.state,
		    why);
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

/* One change among others: what it did is taken back alone. */
static enum err
change_in_savepoint(struct db *db, struct write *w)
{
	enum err err = db_run(db_prepare(db, "SAVEPOINT change"));

	if (err != ERR_NONE)
		return err;
	err = w->change(db, w->arg);
	if (err == ERR_NONE)
		return db_run(db_prepare(db, "RELEASE change"));
	if (!db_in_transaction(db))
		return err;
	if (db_run(db_prepare(db, "ROLLBACK TO change")) != ERR_NONE ||
	    db_run(db_prepare(db, "RELEASE change")) != ERR_NONE)
		return ERR_STORE;
	return err;
}

static struct debt *
take_debts(struct store_pool *p)
{
	struct debt *list;

	(void)pthread_mutex_lock(&p->lock);
	list = p->debts;
	p->debts = NULL;
	p->n_debts = 0;
	(void)pthread_mutex_unlock(&p->lock);
	return list;
}

static void
owe(struct store_pool *p, struct debt *d)
{
	(void)pthread_mutex_lock(&p->lock);
	if (p->n_debts < DEBTS_MOST) {
		d->next = p->debts;
		p->debts = d;
		p->n_debts++;
		d = NULL;
	}
	(void)pthread_mutex_unlock(&p->lock);
	free(d);
}

/* They are owed on, or were made. */
static void
settle_debts(struct store_pool *p, struct debt *list, bool made)
{
	struct debt *next;

	if (made) {
		free_debts(list);
		return;
	}
	for (; list != NULL; list = next) {
		next = list->next;
		owe(p, list);
	}
}

/* One that fails by itself (its row is gone) is nothing to try again. */
static enum err
pay_debts(struct db *db, struct debt *list)
{
	struct write w = {.err = ERR_NONE};
	enum err err = ERR_NONE;

	for (; err == ERR_NONE && list != NULL; list = list->next) {
		w.change = list->change;
		w.arg = list->arg;
		(void)change_in_savepoint(db, &w);
		if (!db_in_transaction(db))
			err = ERR_STORE;
	}
	return err;
}

/* All changes of the list in one transaction; fills in their results. */
static void
write_together(struct store_pool *p, struct write *list)
{
	struct debt *debts = take_debts(p);
	bool alone = list->next == NULL && debts == NULL;
	struct write *w;
	struct db *db;
	enum err err = store_lease(p, &db);

	if (err == ERR_NONE)
		err = db_begin(db);
	/* First: a place that is owed may be asked for now. */
	if (err == ERR_NONE)
		err = pay_debts(db, debts);
	for (w = list; err == ERR_NONE && w != NULL; w = w->next) {
		/* Alone, the transaction itself is the savepoint. */
		w->err = alone ? w->change(db, w->arg)
			       : change_in_savepoint(db, w);
		/* Rolled back by itself (a full disk): with it, all. */
		if (!db_in_transaction(db))
			err = w->err != ERR_NONE ? w->err : ERR_STORE;
	}
	if (err == ERR_NONE) {
		if (alone && list->err != ERR_NONE)
			db_rollback(db);
		else
			err = db_commit(db);
	}
	for (w = list; err != ERR_NONE && w != NULL; w = w->next)
		w->err = err;
	settle_debts(p, debts, err == ERR_NONE);
	store_return(p, db);
}

void
store_owe(struct store_pool *p, store_change change, const void *arg,
    size_t size)
{
	struct debt *d = malloc(sizeof(*d) + size);

	if (d == NULL)
		return;
	d->change = change;
	memcpy(d->arg, arg, size);
	owe(p, d);
}

bool
store_owes(struct store_pool *p)
{
	bool owes;

	(void)pthread_mutex_lock(&p->lock);
	owes = p->debts != NULL;
	(void)pthread_mutex_unlock(&p->lock);
	return owes;
}

/* Takes the changes that wait by now. Under the lock. */
static struct write *
take_waiting(struct store_pool *p)
{
	struct write *list = p->first;

	p->first = NULL;
	p->last = &p->first;
	return list;
}

/* Waits for the semaphore, whatever signals come. */
static void
await(sem_t *wake)
{
	while (sem_wait(wake) != 0)
		continue;
}

/* Makes the changes that wait by now, then lets the next one lead. */
static void
lead(struct store_pool *p, struct write *own)
{
	struct write *list, *next, *w;

	(void)pthread_mutex_lock(&p->lock);
	list = take_waiting(p);
	(void)pthread_mutex_unlock(&p->lock);
	write_together(p, list);
	(void)pthread_mutex_lock(&p->lock);
	p->writing = p->first != NULL;
	if (p->first != NULL) {
		p->first->leads = true;
		(void)sem_post(&p->first->wake);
	}
	(void)pthread_mutex_unlock(&p->lock);
	for (w = list; w != NULL; w = next) {
		next = w->next; /* w is gone once its caller wakes */
		if (w != own)
			(void)sem_post(&w->wake);
	}
}

enum err
store_write(struct store_pool *p, store_change change, void *arg)
{
	struct write own = {.change = change, .arg = arg};
	bool alone;

	(void)sem_init(&own.wake, 0, 0);
	(void)pthread_mutex_lock(&p->lock);
	alone = !p->writing;
	p->writing = true;
	*p->last = &own;
	p->last = &own.next;
	(void)pthread_mutex_unlock(&p->lock);
	if (!alone)
		await(&own.wake);
	if (alone || own.leads)
		lead(p, &own);
	(void)sem_destroy(&own.wake);
	return own.err;
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
	err = open_store(config, false, &db, &reason);
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
