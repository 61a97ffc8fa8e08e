/* Leasing connections.  A thread waits while all are out, which is short:
 * nobody holds one while a client or an upstream is waited for. */
#include "store/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "config/config.h"
#include "store/schema.h"

#define POOL_MAX 64
#define LOG_EVERY_MS 60000

struct pool {
	const struct config *config;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct db *idle[POOL_MAX];
	int n_idle, n_out, max;
	int64_t logged_ms;      /* when a failure was last logged; 0: never */
	atomic_bool log_synced; /* db_options */
};

struct pool *
pool_new(const struct config *config, int max)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->config = config;
	p->max = max < 1 ? 1 : max > POOL_MAX ? POOL_MAX : max;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->returned, NULL);
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	while (p->n_idle > 0)
		db_close(p->idle[--p->n_idle]);
	(void)pthread_cond_destroy(&p->returned);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void
pool_leave(struct pool *p)
{
	int i;

	for (i = 0; i < p->n_idle; i++)
		db_leave(p->idle[i]);
}

/* Waits until a connection is free or may be made.  Under the lock. */
static void
await_connection(struct pool *p)
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
pool_open(struct pool *p, struct db **db)
{
	const char *why = NULL;
	enum err err = schema_open(p->config, p->max == 1, &p->log_synced, db,
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
pool_lease(struct pool *p, struct db **db)
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

	err = pool_open(p, db);
	if (err == ERR_NONE)
		return ERR_NONE;
	(void)pthread_mutex_lock(&p->lock);
	p->n_out--;
	(void)pthread_cond_signal(&p->returned);
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}

void
pool_return(struct pool *p, struct db *db)
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
