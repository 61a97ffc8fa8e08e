/*
 * What people said, and how long it is kept: conversation_days of [server]
 * and of each [site], and what an end user wants removed at once.
 *
 * A conversation goes whole, with its messages, citations, ratings and the
 * references to its files, in one transaction: whenever the process dies,
 * there is all of it or nothing.  Files that nothing references then go by
 * store/clean.h.
 *
 * Nobody has to run anything: a new conversation removes a piece of what is
 * over its time, and once all has been looked at, not again for a day.
 */
#ifndef PARLANCE_RETENTION_H
#define PARLANCE_RETENTION_H

#include "store/store.h"

struct retention_counts {
	int64_t conversations, messages; /* removed */
	int64_t uploads, bytes;          /* by retention_forget() */
	int64_t end_users;               /* rows of their own */
};

/* Is any conversation ever removed by its age? */
bool retention_wanted(const struct config *config);

/* One piece, when it is time; what fails is logged and tried again. */
void retention_some(const struct config *config, struct store_pool *stores);

/* All of it, now. */
enum err retention_all(const struct config *config,
    struct store_pool *stores, struct retention_counts *counts)
    __attribute__((warn_unused_result));

/*
 * A store_change's part: removes at most max conversations of an end user,
 * and with the last of them what else is known of him (but for uploads and
 * counts of usage).  *more: there are further ones.
 */
enum err retention_remove_user(struct db *db, int64_t end_user, size_t max,
    struct retention_counts *counts, bool *more)
    __attribute__((warn_unused_result));

/*
 * Everything of the end users of this name or id, in whatever app, their
 * uploads too.  ERR_NOT_FOUND: there is none.  On a failure counts tell what
 * is removed already.
 */
enum err retention_forget(const struct config *config,
    struct store_pool *stores, struct span user,
    struct retention_counts *counts) __attribute__((warn_unused_result));

#endif
