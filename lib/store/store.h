/*
 * The store: state/parlance.db, its schema's versions, and the pool that
 * leases connections to workers.  A connection is leased for one short run
 * of statements, never for the length of a stream: so thousands of workers
 * share a few connections, and a waiting stream costs none.
 */
#ifndef PARLANCE_STORE_H
#define PARLANCE_STORE_H

#include "base/buf.h"
#include "http/exchange.h"
#include "store/db.h"

struct config;
struct store_pool;

/* Opens nothing yet: the first lease opens the database and brings its
 * schema up to date.  A request that needs no store never opens one.
 * max: connections at the most (1 for CGI). Safe to share. */
struct store_pool *store_pool_new(const struct config *config, int max);
void store_pool_free(struct store_pool *p); /* all returned; NULL is fine */
/* Instead, in a process of one request that ends now: what others need is
 * done, nothing is freed.  NULL is fine. */
void store_pool_leave(struct store_pool *p);

/*
 * A connection for the caller until store_return(); waits while all are out.
 * ERR_STORE, ERR_STORE_BUSY, ERR_STORE_FULL, ERR_STORE_READONLY,
 * ERR_STORE_CORRUPT: *db is NULL, and the reason was logged once a minute at
 * most.
 */
enum err store_lease(struct store_pool *p, struct db **db)
    __attribute__((warn_unused_result));
/* An open transaction is rolled back. NULL is fine. */
void store_return(struct store_pool *p, struct db *db);

/* A change of rows: runs inside a transaction. A result other than ERR_NONE
 * takes back what it changed. */
typedef enum err (*store_change)(struct db *db, void *arg);

/*
 * Makes one change and returns when it is on the disk.  Changes that several
 * threads ask for at the same time share one transaction, and so one wait
 * for the disk: the change may run on another thread while the caller waits.
 * It must not lease or write by itself, nor end the transaction.
 * Returns the change's result, or why it could not be stored.
 */
enum err store_write(struct store_pool *p, store_change change, void *arg)
    __attribute__((warn_unused_result));

/*
 * As store_write(), but returns when the change is committed: others see it,
 * a killed process does not lose it, a power cut may until it is synced.
 * *synced (may be NULL): it is on the disk already.
 */
enum err store_write_unsynced(struct store_pool *p, store_change change,
    void *arg, bool *synced) __attribute__((warn_unused_result));

/* As store_write(), but it is the answer that waits for the disk: nothing
 * more of it is sent before (response_not_before()). */
enum err store_write_before(struct store_pool *p, store_change change,
    void *arg, struct response *r) __attribute__((warn_unused_result));

/*
 * A change that is made when its answer is ready to be sent: the answer of an
 * exchange, sent whole, is held back until the change is on the disk, or a
 * failure takes its place.  It and arg (size bytes, without pointers to what
 * goes with the request) live in the request's arena; both are copied when
 * the request ends first.
 */
struct store_pending {
	store_change change;
	void (*lost)(struct store_pool *p, void *arg); /* or NULL: it failed */
	void *arg;
	size_t size;
	struct store_pool *pool; /* filled in by store_write_with() */
};
void store_write_with(struct exchange *x, struct store_pending *pending);

/*
 * Work for the pool's own thread: makes the change, if there is one, and
 * calls done when it and all that was committed before are on the disk
 * (ERR_NONE), or could not be.  Many share one transaction and one wait.
 * done must not block; the job is the caller's again from then on.  The pool
 * is not freed before.
 */
struct store_job {
	struct store_job *next;
	store_change change;
	void *arg;
	enum err err;
	void (*done)(struct store_job *j, enum err err);
};
void store_later(struct store_pool *p, struct store_job *j);
/* Waits until what was committed before is on the disk. pool: a struct
 * store_pool. */
enum err store_wait_synced(void *pool) __attribute__((warn_unused_result));

/*
 * A small change that could not be stored when it should have been (a full
 * disk, a lock that was held too long), to be made together with the next
 * change of this pool that can be stored.  arg (size bytes, without pointers
 * to what may go) is copied.  Nothing waits for it; with the process it is
 * forgotten, and what a dead process left is known as such.  Never blocks.
 */
void store_defer(struct store_pool *p, store_change change, const void *arg,
    size_t size);

/* Is a change deferred?  Then the next write makes it. */
bool store_has_deferred(struct store_pool *p);

/* The state folder and the database, for `parlance check`: ERR_NONE or the
 * reason, in words, with what fixes it, appended to *why. */
enum err store_check(const struct config *config, struct buf *why);

/* Path of a file in the state folder, in the arena. */
const char *store_path(const struct config *config, struct arena *a,
    const char *name);

#endif
