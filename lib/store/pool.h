/*
 * The connections of a process to its store, leased for a short run of
 * statements each.  store.h is what others use.
 */
#ifndef PARLANCE_POOL_H
#define PARLANCE_POOL_H

#include "store/db.h"

struct config;
struct pool;

/* max: connections at the most; 1 in a process of one request.  NULL: out of
 * memory.  Safe to share. */
struct pool *pool_new(const struct config *config, int max);
void pool_free(struct pool *p); /* all returned; NULL is fine */
/* What others need is done, nothing is freed. */
void pool_leave(struct pool *p);

/* As store_lease() and store_return(). */
enum err pool_lease(struct pool *p, struct db **db)
    __attribute__((warn_unused_result));
void pool_return(struct pool *p, struct db *db);

/* A connection outside of the pool; the caller closes it.  A failure is
 * logged, once a minute at most. */
enum err pool_open(struct pool *p, struct db **db)
    __attribute__((warn_unused_result));

#endif
