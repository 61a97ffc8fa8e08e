/* What is seen is kept in the store, because a process of one request lives
 * too short to see a number move.  A process that was found dead keeps its
 * row: messages may name it. */
#include "store/alive.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "store/rows.h"
#include "store/store.h"

#define NAME_MAX_BYTES 512
#define UNKNOWN_MAX 16
#define OBSERVE_EVERY_MS 1000

/* The process's own: of whom it was asked and knew nothing. */
static struct {
	pthread_mutex_t lock;
	char names[UNKNOWN_MAX][NAME_MAX_BYTES];
	size_t n;
	atomic_bool any;
	atomic_int_fast64_t next_ms;
} unknown = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
remember(const char *name)
{
	size_t i;

	(void)pthread_mutex_lock(&unknown.lock);
	for (i = 0; i < unknown.n; i++)
		if (strcmp(unknown.names[i], name) == 0)
			break;
	if (i == unknown.n && i < UNKNOWN_MAX)
		(void)snprintf(unknown.names[unknown.n++], NAME_MAX_BYTES,
		    "%s", name);
	atomic_store(&unknown.any, true);
	(void)pthread_mutex_unlock(&unknown.lock);
}

bool
alive_is_dead(struct db *db, struct span name)
{
	static const char sql[] =
	    "SELECT 1 FROM processes WHERE name = ? AND dead = 1";
	char text[NAME_MAX_BYTES];
	enum process_state state;
	struct db_stmt *s;
	int64_t one;

	if (name.len == 0 || name.len >= sizeof(text))
		return name.len == 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)name.len, name.data);
	state = process_check(text);
	if (state != PROCESS_UNKNOWN)
		return state == PROCESS_DEAD;
	s = db_prepare(db, sql);
	db_bind_cstring(s, 1, text);
	if (row_int(s, &one) == ERR_NONE)
		return true;
	remember(text);
	return false;
}

/* ---- observing ----------------------------------------------------------- */

/* Whose monotonic clock it is: "HOST BOOT CLOCK". */
static void
name_observer(char *out, size_t size)
{
	struct span name = span_of(process_self()), host, boot;
	char clock[64];
	ssize_t n = readlink("/proc/self/ns/time", clock, sizeof(clock) - 1);

	clock[n < 0 ? 0 : n] = '\0';
	host = span_cut(&name, ' ');
	boot = span_cut(&name, ' ');
	(void)snprintf(out, size, "%.*s %.*s %s", (int)host.len, host.data,
	    (int)boot.len, boot.data, clock);
}

static enum err
read_heartbeats(struct db *db, const char *name, int64_t *heartbeats)
{
	struct db_stmt *s = db_prepare(db,
	    "SELECT heartbeats FROM processes WHERE name = ?");
	enum err err;

	db_bind_cstring(s, 1, name);
	err = row_int(s, heartbeats);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

/* Since when the number is this one; -1: it was never seen. */
static enum err
read_since(struct db *db, const char *observer, const char *name,
    int64_t heartbeats, int64_t *since_ms)
{
	struct db_stmt *s = db_prepare(db, "SELECT since_ms FROM sightings "
	    "WHERE observer = ? AND name = ? AND heartbeats = ?");
	enum err err;

	db_bind_cstring(s, 1, observer);
	db_bind_cstring(s, 2, name);
	db_bind_int(s, 3, heartbeats);
	err = row_int(s, since_ms);
	if (err != ERR_NOT_FOUND)
		return err;
	*since_ms = -1;
	return ERR_NONE;
}

static enum err
note_sighting(struct db *db, const char *observer, const char *name,
    int64_t heartbeats, int64_t now_ms)
{
	static const char sql[] = "INSERT INTO sightings (observer, name, "
	    "heartbeats, since_ms) VALUES (?, ?, ?, ?) "
	    "ON CONFLICT (observer, name) DO UPDATE SET "
	    "heartbeats = excluded.heartbeats, since_ms = excluded.since_ms";
	struct db_stmt *s = db_prepare(db, sql);

	db_bind_cstring(s, 1, observer);
	db_bind_cstring(s, 2, name);
	db_bind_int(s, 3, heartbeats);
	db_bind_int(s, 4, now_ms);
	return db_run(s);
}

static enum err
note_death(struct db *db, const char *name, int64_t heartbeats)
{
	/* Unless it moves this moment. */
	static const char sql[] = "INSERT INTO processes (name, heartbeats, "
	    "dead) VALUES (?, ?, 1) ON CONFLICT (name) DO UPDATE SET dead = 1 "
	    "WHERE processes.heartbeats = excluded.heartbeats";
	struct db_stmt *s = db_prepare(db, sql);
	enum err err;

	db_bind_cstring(s, 1, name);
	db_bind_int(s, 2, heartbeats);
	err = db_run(s);
	if (err != ERR_NONE)
		return err;
	s = db_prepare(db, "DELETE FROM sightings WHERE name = ?");
	db_bind_cstring(s, 1, name);
	return db_run(s);
}

static enum err
observe(struct db *db, const char *observer, const char *name, int64_t now_ms)
{
	int64_t heartbeats = 0, since_ms = -1;
	enum err err = read_heartbeats(db, name, &heartbeats);

	if (err == ERR_NONE)
		err = read_since(db, observer, name, heartbeats, &since_ms);
	if (err != ERR_NONE)
		return err;
	if (since_ms < 0 || since_ms > now_ms)
		return note_sighting(db, observer, name, heartbeats, now_ms);
	return now_ms - since_ms < ALIVE_SILENCE_MS
	    ? ERR_NONE
	    : note_death(db, name, heartbeats);
}

struct observation {
	char names[UNKNOWN_MAX][NAME_MAX_BYTES];
	size_t n;
	int64_t now_ms;
};

/* A store_change. */
static enum err
observe_all(struct db *db, void *arg)
{
	const struct observation *o = arg;
	char observer[NAME_MAX_BYTES];
	enum err err = ERR_NONE;
	size_t i;

	name_observer(observer, sizeof(observer));
	for (i = 0; i < o->n && err == ERR_NONE; i++)
		err = observe(db, observer, o->names[i], o->now_ms);
	return err;
}

bool
alive_has_unknown(void)
{
	return atomic_load(&unknown.any);
}

void
alive_observe(struct store_pool *p, int64_t now_ms)
{
	struct observation o;
	enum err err;

	if (!alive_has_unknown() || now_ms < atomic_load(&unknown.next_ms))
		return;
	atomic_store(&unknown.next_ms, now_ms + OBSERVE_EVERY_MS);
	(void)pthread_mutex_lock(&unknown.lock);
	memcpy(o.names, unknown.names, sizeof(o.names));
	o.n = unknown.n;
	unknown.n = 0;
	atomic_store(&unknown.any, false);
	(void)pthread_mutex_unlock(&unknown.lock);
	o.now_ms = now_ms;
	err = store_write_committed(p, observe_all, &o, NULL);
	if (err != ERR_NONE && err != ERR_STORE_BUSY)
		log_error("store: processes of other hosts: %s",
		    err_text(err));
}
