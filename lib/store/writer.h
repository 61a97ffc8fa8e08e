/*
 * The part of the store that makes changes.  store.h is what others use, and
 * says what each of these does.
 */
#ifndef PARLANCE_WRITER_H
#define PARLANCE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/change.h"

struct pool;
struct writer;

/* one_request: it has no thread of its own, and jobs are done at once.
 * heartbeat: a change that goes along with others, once in so long.  NULL: out
 * of memory. */
struct writer *writer_new(struct pool *p, bool one_request,
    store_change heartbeat, int64_t heartbeat_ms);
/* Everything that waited for the disk is done before it returns, and what was
 * deferred has had its last chance. */
void writer_free(struct writer *w);
/* Instead, in a process of one request: that chance alone. */
void writer_leave(struct writer *w);

/* store_write_committed() */
enum err writer_commit(struct writer *w, store_change change, void *arg,
    bool *durable) __attribute__((warn_unused_result));
/* Waits until what was committed before is on the disk. */
enum err writer_await(struct writer *w) __attribute__((warn_unused_result));
/* store_when_durable() */
void writer_when_durable(struct writer *w, struct store_job *j);
/* store_heartbeat() */
enum err writer_heartbeat(struct writer *w)
    __attribute__((warn_unused_result));
/* store_defer() and store_has_deferred() */
void writer_defer(struct writer *w, store_change change, const void *arg,
    size_t size);
bool writer_has_deferred(struct writer *w);

#endif
