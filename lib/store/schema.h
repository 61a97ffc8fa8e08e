/*
 * The database of a deployment, state/parlance.db, and its schema's versions.
 */
#ifndef PARLANCE_SCHEMA_H
#define PARLANCE_SCHEMA_H

#include "store/db.h"

struct config;

/*
 * Opens it, makes it when there is none, and brings its schema up to date.
 * short_lived, log_synced: as in struct db_options.  On a failure *db is NULL
 * and *why says it in words (static, or in a thread's buffer).
 */
enum err schema_open(const struct config *config, bool short_lived,
    atomic_bool *log_synced, struct db **db, const char **why)
    __attribute__((warn_unused_result));

#endif
