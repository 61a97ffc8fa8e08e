/*
 * The store: connections to state/parlance.db, and changes to it.  A
 * connection is leased for one short run of statements, never for the length
 * of a stream: so thousands of workers share a few connections, and a waiting
 * stream costs none.
 *
 * Every change goes through one of four functions, by what is known when it
 * returns:
 *
 *	store_write_committed()  others see it, a killed process keeps it
 *	store_write_durable()    it is on the disk
 *	store_when_durable()     nothing yet: a function is called when it is
 *	store_defer()            nothing: it is made with the next change
 *
 * A reply that waits for the disk is made of these: durable/durable_reply.h.
 * With `durable = no` nothing is ever waited for.
 */
#ifndef PARLANCE_STORE_H
#define PARLANCE_STORE_H

#include <stddef.h>

#include "base/buf.h"
#include "store/change.h"
#include "store/db.h"

struct config;
struct store_pool;

/* Opens nothing yet: the first lease opens the database and brings its
 * schema up to date.  A request that needs no store never opens one.
 * max: connections at the most; 1 in a process of one request, which has no
 * thread of its own.  Safe to share. */
struct store_pool *store_pool_new(const struct config *config, int max);
/* All are returned; every job is done before it returns.  NULL is fine. */
void store_pool_free(struct store_pool *p);
/* Instead, in a process of one request that ends now: what others need is
 * done, nothing is freed.  NULL is fine. */
void store_pool_leave(struct store_pool *p);

/*
 * A connection for the caller until store_return(), to read; waits while all
 * are out.  ERR_STORE, ERR_STORE_BUSY, ERR_STORE_FULL, ERR_STORE_READONLY,
 * ERR_STORE_CORRUPT: *db is NULL, and the reason was logged once a minute at
 * most.
 */
enum err store_lease(struct store_pool *p, struct db **db)
    __attribute__((warn_unused_result));
/* An open transaction is rolled back. NULL is fine. */
void store_return(struct store_pool *p, struct db *db);

/*
 * Makes one change and returns when it is committed: others see it, a killed
 * process does not lose it, a power cut may until it is durable.  Changes
 * that several threads ask for at the same time share one transaction.
 * *durable (may be NULL): it is on the disk already.
 *
 * Returns the change's result, or why it could not be stored.
 */
enum err store_write_committed(struct store_pool *p, store_change change,
    void *arg, bool *durable) __attribute__((warn_unused_result));

/* The same, and returns when it and all that was committed before are on the
 * disk.  Many share one wait.  ERR_STORE_UNSYNCED: it was made, and may yet be
 * lost.  change NULL: only waits. */
enum err store_write_durable(struct store_pool *p, store_change change,
    void *arg) __attribute__((warn_unused_result));

/*
 * Makes the job's change, if it has one, and calls done when it and all that
 * was committed before are on the disk (ERR_NONE), or could not be
 * (ERR_STORE_UNSYNCED: made, but perhaps lost).  Many share one transaction
 * and one wait.  Never blocks, but in a process of one request, where done is
 * called before it returns.  done must not block; the job is the caller's
 * again from then on.  The pool is not freed before.
 */
void store_when_durable(struct store_pool *p, struct store_job *j);

/*
 * A small change that could not be stored when it should have been (a full
 * disk, a lock that was held too long), to be made together with the next
 * change of this pool that can be stored, at the latest when the pool goes.
 * arg (size bytes, without pointers to what may go) is copied.  Nothing waits
 * for it; what a dead process left is known as such.  Never blocks.
 */
void store_defer(struct store_pool *p, store_change change, const void *arg,
    size_t size);

/* Is a change deferred?  Then the next write makes it. */
bool store_has_deferred(struct store_pool *p);

/*
 * A sign of life of this process (store/alive.h).  Asked for every
 * STORE_HEARTBEAT_MS by all of its running turns; the first to come writes one
 * row for all.  Besides, a change carries it when it is due, so that a turn
 * which begins is never taken for one of a process that was idle for long.
 * May block.
 */
#define STORE_HEARTBEAT_MS 20000
enum err store_heartbeat(struct store_pool *p)
    __attribute__((warn_unused_result));

/* The state folder and the database, for `parlance check`: ERR_NONE or the
 * reason, in words, with what fixes it, appended to *why. */
enum err store_check(const struct config *config, struct buf *why);

/* Path of a file in the state folder, in the arena. */
const char *store_path(const struct config *config, struct arena *a,
    const char *name);

#endif
