/* The pool of connections and the writer, joined. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "store/heartbeat.h"
#include "store/pool.h"
#include "store/schema.h"
#include "store/writer.h"

/* Two timers of one period must not miss each other. */
#define EARLY_MS 1000

struct store_pool {
	struct pool *connections;
	struct writer *writer;
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
	p->connections = pool_new(config, max);
	if (p->connections != NULL)
		p->writer = writer_new(p->connections, max <= 1,
		    heartbeat_raise, STORE_HEARTBEAT_MS - EARLY_MS);
	if (p->writer != NULL)
		return p;
	pool_free(p->connections);
	free(p);
	return NULL;
}

void
store_pool_free(struct store_pool *p)
{
	if (p == NULL)
		return;
	writer_free(p->writer);
	pool_free(p->connections);
	free(p);
}

void
store_pool_leave(struct store_pool *p)
{
	if (p == NULL)
		return;
	writer_leave(p->writer);
	pool_leave(p->connections);
}

enum err
store_lease(struct store_pool *p, struct db **db)
{
	return pool_lease(p->connections, db);
}

void
store_return(struct store_pool *p, struct db *db)
{
	pool_return(p->connections, db);
}

enum err
store_write_committed(struct store_pool *p, store_change change, void *arg,
    bool *durable)
{
	return writer_commit(p->writer, change, arg, durable);
}

enum err
store_write_durable(struct store_pool *p, store_change change, void *arg)
{
	bool durable = false;
	enum err err = ERR_NONE;

	if (change != NULL)
		err = writer_commit(p->writer, change, arg, &durable);
	return err != ERR_NONE || durable ? err : writer_await(p->writer);
}

void
store_when_durable(struct store_pool *p, struct store_job *j)
{
	writer_when_durable(p->writer, j);
}

void
store_defer(struct store_pool *p, store_change change,
    const void *arg, size_t size)
{
	writer_defer(p->writer, change, arg, size);
}

enum err
store_heartbeat(struct store_pool *p)
{
	return writer_heartbeat(p->writer);
}

bool
store_has_deferred(struct store_pool *p)
{
	return writer_has_deferred(p->writer);
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
	err = schema_open(config, false, NULL, &db, &reason);
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
