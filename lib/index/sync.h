/* Keeps the index in step with the documents that came over the API. */
#ifndef PARLANCE_SYNC_H
#define PARLANCE_SYNC_H

#include "config/config.h"
#include "store/db.h"

/*
 * Indexes the documents of db (the store) that the index lacks, and removes
 * from it what db no longer has and no configuration declares.  wait: for
 * another writer, else ERR_STORE_BUSY.  Nothing is written when nothing
 * differs.
 */
enum err sync_datasets(const struct config *config, struct db *db, bool wait)
    __attribute__((warn_unused_result));

/* The same for a search, which has no connection: opens the store for
 * reading, if there is one.  Failures are logged. */
void sync_check(const struct config *config);

#endif
