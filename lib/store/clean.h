/*
 * Uploads that nothing needs any more: a file that no message was sent with,
 * or only messages of deleted conversations, and that is older than
 * upload_days of the configuration (0: none is ever removed).
 *
 * The row goes first, committed, then the bytes: whenever the process dies,
 * no row names bytes that are not there.  Bytes that it left without a row
 * (so does one that is killed while it takes an upload or converts a
 * document) are leftovers, unknown to everybody.
 *
 * Nobody has to run anything: what makes garbage (an upload, a conversation
 * that is deleted) cleans a piece of it, and once all has been looked at,
 * not again for a day.  `parlance clean` looks at all, and for leftovers.
 */
#ifndef PARLANCE_CLEAN_H
#define PARLANCE_CLEAN_H

#include "store/store.h"

struct clean_counts {
	int64_t uploads, leftovers; /* removed */
	int64_t bytes;              /* of both */
};

/* One piece, when it is time; what fails is logged and tried again. */
void clean_some(const struct config *config, struct store_pool *stores);

/* All of it, now.  Leftovers are left alone for a day: they may be uploads
 * that are being made. */
enum err clean_all(const struct config *config, struct store_pool *stores,
    struct clean_counts *counts) __attribute__((warn_unused_result));

#endif
