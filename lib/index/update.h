/* Brings the index up to date with the folders. */
#ifndef PARLANCE_UPDATE_H
#define PARLANCE_UPDATE_H

#include "config/config.h"
#include "index/index_store.h"

struct update_options {
	bool verbose;      /* progress and skipped files to standard error */
	bool wait;         /* for another writer */
	bool aside;        /* work on a copy; for tests */
	int64_t budget_ms; /* stop early, keep what is done; 0: no limit */
	int64_t quick_bytes; /* do nothing when there is more to read; 0: no
	                      * limit */
};

struct update_result {
	int64_t changed;   /* documents added, replaced or removed */
	bool complete;     /* nothing is left to do */
	bool large;        /* there was more than quick_bytes */
};

/* One knowledge's folder.  Nothing is written when nothing changed.
 * ERR_STORE_BUSY: another pass is running (wait was false). */
enum err update_folder(const struct config *config,
    const struct knowledge_config *k, const struct update_options *options,
    struct update_result *result) __attribute__((warn_unused_result));

/*
 * For searches: looks at all folders when the last look is longer ago than
 * their check_seconds, and brings the index up to date: at once when that is
 * quick, else by a process of its own, `parlance index --background` (where
 * that program is not to be found: a second's worth at each look).  Never
 * waits for another writer; failures are logged, not returned.
 */
void update_check(const struct config *config);

#endif
