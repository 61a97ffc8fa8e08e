/*
 * Changes that several threads ask for at the same time share a transaction,
 * and transactions share a wait for the disk.
 *
 * The first that finds nobody at it leads: it makes all changes that wait by
 * then and lets the first of those that came meanwhile lead.  What keeps a
 * commit is one sync of the write-ahead log, which serves every commit
 * before it; a thread of its own does it, so that the next transaction need
 * not wait, nor a thread for each answer that waits for the disk.
 */
#include "store/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/pool.h"

#define DEFERRED_MAX 1000 /* changes */

/* A change that waits for its transaction; on its caller's stack. */
struct change {
	store_change make;
	void *arg;
	enum err err;
	bool durable; /* it is on the disk already */
	bool leads;
	sem_t wake;  /* done, or it is this one's turn to lead */
	struct change *next;
};

/* A deferred change: made with the next that can be stored. */
struct deferred {
	struct deferred *next;
	store_change change;
	max_align_t arg[];
};

struct writer {
	struct pool *pool;
	bool one_request;
	pthread_mutex_t lock;         /* of what follows */
	struct change *first, **last; /* that wait */
	bool led;                     /* a thread makes them */
	struct deferred *deferred;
	int n_deferred;

	pthread_mutex_t jobs_lock;    /* of what follows */
	struct store_job *jobs, **last_job; /* that wait */
	pthread_cond_t more;          /* of them */
	bool running;                 /* the thread was started */
	bool resting, ending;
	pthread_t thread;
	struct db *db;                /* the thread's own */
	atomic_bool sync_failed;      /* of a commit, by itself */
	store_change heartbeat;
	int64_t heartbeat_ms;
	atomic_int_fast64_t next_heartbeat_ms;
};

/* ---- what is deferred --------------------------------------------------- */

static void
free_deferred(struct deferred *list)
{
	struct deferred *next;

	for (; list != NULL; list = next) {
		next = list->next;
		free(list);
	}
}

/* One change among others: what it did is taken back alone. */
static enum err
change_in_savepoint(struct db *db, store_change change, void *arg)
{
	enum err err = db_run(db_prepare(db, "SAVEPOINT change"));

	if (err != ERR_NONE)
		return err;
	err = change(db, arg);
	if (err == ERR_NONE)
		return db_run(db_prepare(db, "RELEASE change"));
	if (!db_in_transaction(db))
		return err;
	if (db_run(db_prepare(db, "ROLLBACK TO change")) != ERR_NONE ||
	    db_run(db_prepare(db, "RELEASE change")) != ERR_NONE)
		return ERR_STORE;
	return err;
}

static struct deferred *
take_deferred(struct writer *w)
{
	struct deferred *list;

	(void)pthread_mutex_lock(&w->lock);
	list = w->deferred;
	w->deferred = NULL;
	w->n_deferred = 0;
	(void)pthread_mutex_unlock(&w->lock);
	return list;
}

static void
defer(struct writer *w, struct deferred *d)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->n_deferred < DEFERRED_MAX) {
		d->next = w->deferred;
		w->deferred = d;
		w->n_deferred++;
		d = NULL;
	}
	(void)pthread_mutex_unlock(&w->lock);
	free(d);
}

/* They were made, or stay deferred. */
static void
end_deferred(struct writer *w, struct deferred *list, bool made)
{
	struct deferred *next;

	if (made) {
		free_deferred(list);
		return;
	}
	for (; list != NULL; list = next) {
		next = list->next;
		defer(w, list);
	}
}

/* One that fails by itself (its row is gone) is nothing to try again. */
static enum err
make_deferred(struct db *db, struct deferred *list)
{
	for (; list != NULL; list = list->next) {
		(void)change_in_savepoint(db, list->change, list->arg);
		if (!db_in_transaction(db))
			return ERR_STORE;
	}
	return ERR_NONE;
}

void
writer_defer(struct writer *w, store_change change, const void *arg,
    size_t size)
{
	struct deferred *d = malloc(sizeof(*d) + size);

	if (d == NULL)
		return;
	d->change = change;
	memcpy(d->arg, arg, size);
	defer(w, d);
}

bool
writer_has_deferred(struct writer *w)
{
	bool any;

	(void)pthread_mutex_lock(&w->lock);
	any = w->deferred != NULL;
	(void)pthread_mutex_unlock(&w->lock);
	return any;
}

/* ---- one transaction for all -------------------------------------------- */

/* The changes of the list, one by one, and the commit; alone, a change needs
 * no savepoint. */
static enum err
make_all(struct db *db, struct change *list, bool alone)
{
	struct change *c;

	for (c = list; c != NULL; c = c->next) {
		c->err = alone ? c->make(db, c->arg)
			       : change_in_savepoint(db, c->make, c->arg);
		/* Rolled back by itself (a full disk): with it, all. */
		if (!db_in_transaction(db))
			return c->err != ERR_NONE ? c->err : ERR_STORE;
	}
	if (!alone || list->err == ERR_NONE)
		return db_commit_unsynced(db);
	db_rollback(db);
	return list->err;
}

/* All changes of the list in one transaction. */
static enum err
attempt(struct writer *w, struct db *db, struct change *list,
    struct deferred *deferred, bool beats)
{
	enum err err = db_begin(db);

	if (err == ERR_NONE && beats) {
		(void)change_in_savepoint(db, w->heartbeat, NULL);
		err = db_in_transaction(db) ? ERR_NONE : ERR_STORE;
	}
	/* First: a slot that they give back may be asked for now. */
	if (err == ERR_NONE)
		err = make_deferred(db, deferred);
	if (err == ERR_NONE)
		err = make_all(db, list,
		    list->next == NULL && deferred == NULL && !beats);
	return err;
}

/* Makes the changes of the list and fills in their results. */
static void
write_together(struct writer *w, struct change *list)
{
	struct deferred *deferred = take_deferred(w);
	struct change *c;
	struct db *db;
	int64_t now_ms = clock_monotonic_ms();
	bool beats = now_ms >= atomic_load(&w->next_heartbeat_ms);
	enum err err = pool_lease(w->pool, &db);

	if (err == ERR_NONE)
		err = attempt(w, db, list, deferred, beats);
	if (err == ERR_STORE_FULL && db != NULL) {
		db_rollback(db);
		db_make_room(db);
		err = attempt(w, db, list, deferred, beats);
	}
	/* Made all the same; whoever waits for the disk is told. */
	if (err == ERR_STORE_UNSYNCED) {
		atomic_store(&w->sync_failed, true);
		err = ERR_NONE;
	}
	for (c = list; c != NULL; c = c->next) {
		c->durable = err == ERR_NONE && !db_unsynced(db);
		if (err != ERR_NONE)
			c->err = err;
	}
	if (err == ERR_NONE && beats)
		atomic_store(&w->next_heartbeat_ms, now_ms + w->heartbeat_ms);
	end_deferred(w, deferred, err == ERR_NONE);
	pool_return(w->pool, db);
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
lead(struct writer *w, const struct change *own)
{
	struct change *list, *next, *c;

	(void)pthread_mutex_lock(&w->lock);
	list = w->first;
	w->first = NULL;
	w->last = &w->first;
	(void)pthread_mutex_unlock(&w->lock);
	write_together(w, list);
	(void)pthread_mutex_lock(&w->lock);
	next = w->first;
	w->led = next != NULL;
	if (next != NULL)
		next->leads = true;
	(void)pthread_mutex_unlock(&w->lock);
	if (next != NULL)
		(void)sem_post(&next->wake);
	for (c = list; c != NULL; c = next) {
		next = c->next; /* c is gone once its caller wakes */
		if (c != own)
			(void)sem_post(&c->wake);
	}
}

enum err
writer_commit(struct writer *w, store_change change, void *arg, bool *durable)
{
	struct change own = {.make = change, .arg = arg};
	bool alone;

	(void)sem_init(&own.wake, 0, 0);
	(void)pthread_mutex_lock(&w->lock);
	alone = !w->led;
	w->led = true;
	*w->last = &own;
	w->last = &own.next;
	(void)pthread_mutex_unlock(&w->lock);
	if (!alone)
		await(&own.wake);
	if (alone || own.leads)
		lead(w, &own);
	(void)sem_destroy(&own.wake);
	if (durable != NULL)
		*durable = own.durable;
	return own.err;
}

/* A store_change. */
static enum err
change_nothing(struct db *db, void *arg)
{
	(void)db;
	(void)arg;
	return ERR_NONE;
}

enum err
writer_heartbeat(struct writer *w)
{
	if (clock_monotonic_ms() < atomic_load(&w->next_heartbeat_ms))
		return ERR_NONE;
	return writer_commit(w, change_nothing, NULL, NULL);
}

/* ---- jobs --------------------------------------------------------------- */

/* The thread's connection, w->db. */
static enum err
open_own(struct writer *w)
{
	if (w->db != NULL && db_moved(w->db)) {
		db_close(w->db);
		w->db = NULL;
	}
	return w->db == NULL ? pool_open(w->pool, &w->db) : ERR_NONE;
}

/* Brings all that was committed to the disk.  The kernel tells a failure
 * once: what a commit was told counts for those who wait. */
static enum err
sync_on(struct writer *w, enum err opened, struct db *db)
{
	bool failed = atomic_exchange(&w->sync_failed, false);

	return opened != ERR_NONE || db_sync(db) != ERR_NONE || failed
	    ? ERR_STORE_UNSYNCED
	    : ERR_NONE;
}

/* A store_change: those of the list; each that fails is taken back alone. */
static enum err
make_changes_of_jobs(struct db *db, void *arg)
{
	struct store_job *j = arg;

	if (j->next == NULL)
		return j->change(db, j->arg);
	for (; j != NULL; j = j->next) {
		if (j->change == NULL)
			continue;
		j->err = change_in_savepoint(db, j->change, j->arg);
		if (!db_in_transaction(db))
			return j->err != ERR_NONE ? j->err : ERR_STORE;
	}
	return ERR_NONE;
}

static enum err
make_changes(struct writer *w, struct store_job *list, bool *durable)
{
	const struct store_job *j;
	bool any = false;

	*durable = false;
	for (j = list; j != NULL && !any; j = j->next)
		any = j->change != NULL;
	return any ? writer_commit(w, make_changes_of_jobs, list, durable)
		   : ERR_NONE;
}

/* One transaction and one sync for all of them. */
static void
do_jobs(struct writer *w, struct store_job *list)
{
	struct store_job *j, *next;
	bool durable, syncs = false;
	enum err changed = make_changes(w, list, &durable), kept = ERR_NONE;

	for (j = list; j != NULL; j = j->next) {
		if (j->change == NULL)
			j->err = ERR_NONE;
		else if (changed != ERR_NONE)
			j->err = changed;
		syncs = syncs || j->change == NULL ||
		    (j->err == ERR_NONE && !durable);
	}
	if (syncs) {
		kept = open_own(w);
		kept = sync_on(w, kept, w->db);
	}
	for (j = list; j != NULL; j = next) {
		next = j->next;
		j->done(j, j->err != ERR_NONE ? j->err : kept);
	}
}

static void *
jobs_main(void *arg)
{
	struct writer *w = arg;
	struct store_job *list;

	(void)pthread_mutex_lock(&w->jobs_lock);
	while (w->jobs != NULL || !w->ending) {
		if (w->jobs == NULL) {
			w->resting = true;
			(void)pthread_cond_wait(&w->more, &w->jobs_lock);
			continue;
		}
		list = w->jobs;
		w->jobs = NULL;
		w->last_job = &w->jobs;
		(void)pthread_mutex_unlock(&w->jobs_lock);
		do_jobs(w, list);
		(void)pthread_mutex_lock(&w->jobs_lock);
	}
	(void)pthread_mutex_unlock(&w->jobs_lock);
	return NULL;
}

/* Without that thread, on the caller's: a process of one request has nobody
 * to share a sync with. */
static void
do_now(struct writer *w, struct store_job *j)
{
	struct db *db;
	bool durable = false;
	enum err err = ERR_NONE;

	if (j->change != NULL)
		err = writer_commit(w, j->change, j->arg, &durable);
	if (err == ERR_NONE && !durable) {
		err = pool_lease(w->pool, &db);
		err = sync_on(w, err, db);
		pool_return(w->pool, db);
	}
	j->done(j, err);
}

void
writer_when_durable(struct writer *w, struct store_job *j)
{
	bool running, wake = false;

	j->next = NULL;
	j->err = ERR_NONE;
	(void)pthread_mutex_lock(&w->jobs_lock);
	if (!w->running && !w->one_request)
		w->running = pthread_create(&w->thread, NULL, jobs_main, w) ==
		    0;
	running = w->running;
	if (running) {
		*w->last_job = j;
		w->last_job = &j->next;
		wake = w->resting;
		w->resting = false;
	}
	(void)pthread_mutex_unlock(&w->jobs_lock);
	if (wake)
		(void)pthread_cond_signal(&w->more);
	if (!running)
		do_now(w, j);
}

/* A caller that waits for its job. */
struct sleeper {
	struct store_job job; /* first */
	sem_t wake;
	enum err err;
};

static void
wake_up(struct store_job *job, enum err err)
{
	struct sleeper *s = (struct sleeper *)job;

	s->err = err;
	(void)sem_post(&s->wake);
}

enum err
writer_await(struct writer *w)
{
	struct sleeper s = {.job = {.done = wake_up}};

	(void)sem_init(&s.wake, 0, 0);
	writer_when_durable(w, &s.job);
	await(&s.wake);
	(void)sem_destroy(&s.wake);
	return s.err;
}

/* ---- its life ----------------------------------------------------------- */

struct writer *
writer_new(struct pool *p, bool one_request, store_change heartbeat,
    int64_t heartbeat_ms)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->pool = p;
	w->one_request = one_request;
	w->heartbeat = heartbeat;
	w->heartbeat_ms = heartbeat_ms;
	/* Nobody has seen a process of one request before. */
	if (one_request)
		atomic_init(&w->next_heartbeat_ms,
		    clock_monotonic_ms() + heartbeat_ms);
	w->last = &w->first;
	w->last_job = &w->jobs;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_mutex_init(&w->jobs_lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	return w;
}

void
writer_leave(struct writer *w)
{
	enum err err = ERR_NONE;

	if (writer_has_deferred(w))
		err = writer_commit(w, change_nothing, NULL, NULL);
	if (err != ERR_NONE)
		log_error("store: deferred changes are lost: %s",
		    err_text(err));
}

void
writer_free(struct writer *w)
{
	if (w->running) {
		(void)pthread_mutex_lock(&w->jobs_lock);
		w->ending = true;
		(void)pthread_cond_signal(&w->more);
		(void)pthread_mutex_unlock(&w->jobs_lock);
		(void)pthread_join(w->thread, NULL);
	}
	writer_leave(w);
	db_close(w->db);
	free_deferred(w->deferred);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->jobs_lock);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}
