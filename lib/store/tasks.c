/*
 * The stop request may land in another process, so the mark is a row, not a
 * variable.  Thousands of streams must not ask the database each for itself:
 * the watches of a process stand in one list, and whichever of them comes by
 * when the last look is 250 ms old looks for all.  A marked row is rare and
 * short-lived (it goes with its answer), so that look reads an index that is
 * almost always empty.
 */
#include "store/tasks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "store/alive.h"

#define LOOK_MS 250
#define LOOK_AGAIN_AFTER_FAULT_MS 2000
#define OWNER_US ((int64_t)30 * 60 * 1000000)
#define SWEPT_MAX 8

/* The process's watches.  It is the one thing that all workers share: a stop
 * request is for the process. */
static struct {
	pthread_mutex_t lock; /* of the list */
	struct task_watch *first;
	atomic_int_fast64_t next_look_ms;
} board = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
};

/* Removes a few of those that ran half an hour ago, if their processes are
 * dead: an answer that still runs can be stopped, whatever the clock does. */
static enum err
sweep(struct db *db, int64_t now_us)
{
	struct db_stmt *s = db_prepare(db, "SELECT id, owner FROM tasks"
	    " WHERE started_us < ?1 ORDER BY started_us LIMIT ?2");
	char dead[SWEPT_MAX][UUID_TEXT];
	size_t n = 0, i;
	bool row = true;
	enum err err;

	db_bind_int(s, 1, now_us - OWNER_US);
	db_bind_int(s, 2, SWEPT_MAX);
	while ((err = db_step(s, &row)) == ERR_NONE && row && n < SWEPT_MAX) {
		struct span id = db_text(s, 0);

		if (id.len < UUID_TEXT && alive_is_dead(db, db_text(s, 1)))
			(void)snprintf(dead[n++], UUID_TEXT, "%.*s",
			    (int)id.len, id.data);
	}
	db_done(s);
	for (i = 0; i < n && err == ERR_NONE; i++)
		err = task_delete(db, dead[i]);
	return err;
}

enum err
task_insert(struct db *db, const char *task_id, const char *bot_uid,
    struct span user)
{
	int64_t now = clock_now_us();
	struct db_stmt *s;
	enum err err;

	err = sweep(db, now);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db,
	    "INSERT INTO tasks (id, bot_uid, end_user, started_us, owner)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)");
	db_bind_cstring(s, 1, task_id);
	db_bind_cstring(s, 2, bot_uid);
	db_bind_text(s, 3, user);
	db_bind_int(s, 4, now);
	db_bind_cstring(s, 5, process_self());
	return db_run(s);
}

enum err
task_delete(struct db *db, const char *task_id)
{
	struct db_stmt *s = db_prepare(db, "DELETE FROM tasks WHERE id = ?1");

	db_bind_cstring(s, 1, task_id);
	return db_run(s);
}

enum err
task_request_stop(struct db *db, struct span task_id, const char *bot_uid,
    struct span user, bool *known)
{
	int64_t now = clock_now_us();
	struct db_stmt *s;
	enum err err;

	s = db_prepare(db,
	    "UPDATE tasks SET stop_us = ?1 WHERE id = ?2 AND bot_uid = ?3"
	    " AND end_user = ?4 AND stop_us IS NULL");
	db_bind_int(s, 1, now);
	db_bind_text(s, 2, task_id);
	db_bind_cstring(s, 3, bot_uid);
	db_bind_text(s, 4, user);
	err = db_run(s);
	if (known != NULL)
		*known = err == ERR_NONE && db_changes(db) > 0;
	return err;
}

void
task_watch_begin(struct task_watch *w, struct store_pool *pool,
    const char *task_id)
{
	memset(w, 0, sizeof(*w));
	w->pool = pool;
	memcpy(w->id, task_id, strnlen(task_id, sizeof(w->id) - 1));
	atomic_init(&w->stop, false);
	(void)pthread_mutex_lock(&board.lock);
	w->next = board.first;
	if (w->next != NULL)
		w->next->prev = w;
	board.first = w;
	w->watched = true;
	(void)pthread_mutex_unlock(&board.lock);
}

void
task_watch_end(struct task_watch *w)
{
	if (!w->watched)
		return;
	(void)pthread_mutex_lock(&board.lock);
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		board.first = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->watched = false;
	(void)pthread_mutex_unlock(&board.lock);
}

/* Tells every watch of that task. */
static void
mark(struct span id)
{
	struct task_watch *w;

	(void)pthread_mutex_lock(&board.lock);
	for (w = board.first; w != NULL; w = w->next)
		if (span_is(id, w->id))
			atomic_store(&w->stop, true);
	(void)pthread_mutex_unlock(&board.lock);
}

/* Reads the marked tasks. */
static enum err
look(struct store_pool *pool)
{
	struct db_stmt *s;
	struct db *db;
	bool row = false;
	enum err err;

	err = store_lease(pool, &db);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "SELECT id FROM tasks WHERE stop_us IS NOT NULL");
	while ((err = db_step(s, &row)) == ERR_NONE && row)
		mark(db_text(s, 0));
	db_done(s);
	store_return(pool, db);
	return err;
}

bool
task_watch_stopped(const struct task_watch *w)
{
	return atomic_load(&w->stop);
}

bool
task_watch_due(const struct task_watch *w, int64_t now_ms)
{
	int64_t next = atomic_load(&board.next_look_ms);

	return w->watched && !atomic_load(&w->stop) && now_ms >= next &&
	    atomic_compare_exchange_strong(&board.next_look_ms, &next,
		now_ms + LOOK_MS);
}

void
task_watch_look(const struct task_watch *w)
{
	if (look(w->pool) != ERR_NONE)
		atomic_fetch_add(&board.next_look_ms,
		    LOOK_AGAIN_AFTER_FAULT_MS);
}
