/*
 * Replies that wait for the disk: with `durable = yes` nobody is told of a
 * change before it is there.  Where an exchange's reply and the store meet,
 * for both APIs, and nowhere else.
 *
 * A gateway that can hold a whole reply back (FastCGI) frees the thread: the
 * store sends it when one sync has served many.  Elsewhere the send waits.
 */
#ifndef PARLANCE_DURABLE_REPLY_H
#define PARLANCE_DURABLE_REPLY_H

#include <stddef.h>

#include "http/exchange.h"
#include "store/store.h"

/*
 * What a reply waits for.  It and arg (size bytes, without pointers to what
 * goes with the request) live in the request's arena; both are copied when
 * the request ends first.
 */
struct durable_change {
	/* Made when the reply is ready to be sent; NULL: all is committed,
	 * the disk alone is waited for. */
	store_change change;
	/* Deferred when the change failed or could not be synced, and another
	 * reply says so; NULL: nothing. */
	store_change if_lost;
	void *arg;
	size_t size;
	struct store_pool *stores; /* filled in by durable_reply_with() */
};

/* Nothing more of the exchange's reply is sent before the change is on the
 * disk; a failure takes the reply's place. */
void durable_reply_with(struct exchange *x, struct durable_change *change);

/*
 * Commits the change now; then nothing more of the reply is sent before it is
 * on the disk.  On a failure, which is that of store_write_committed(), it was
 * not made, and nothing is waited for.
 */
enum err durable_reply_write(struct exchange *x, store_change change,
    void *arg) __attribute__((warn_unused_result));

/*
 * For whoever serves the exchange, when it has ended with response.held: what
 * the gateway holds is sent when the change is on the disk, or the family's
 * failure instead of it.  Nothing of the exchange is used afterwards.
 */
void durable_reply_hold(const struct exchange *x, struct gateway *gateway);

#endif
