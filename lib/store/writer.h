/*
 * The part of the store that makes changes: store_write() and its like, which
 * store.h documents.  This is what it and the pool know of each other.
 */
#ifndef PARLANCE_WRITER_H
#define PARLANCE_WRITER_H

#include <stdbool.h>

#include "base/err.h"

struct db;
struct store_pool;
struct writer;

/* one_request: it has no thread of its own, and jobs are done at once.  NULL:
 * out of memory. */
struct writer *writer_new(struct store_pool *p, bool one_request);
/* Everything that waited for the disk is done before it returns. */
void writer_free(struct writer *w);

struct writer *store_pool_writer(const struct store_pool *p);
/* A connection outside of the pool; the caller closes it. A failure is
 * logged, once a minute at most. */
enum err store_pool_open(struct store_pool *p, struct db **db)
    __attribute__((warn_unused_result));

#endif
