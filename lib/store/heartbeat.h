/* The sign of life that a process gives (store/alive.h reads it). */
#ifndef PARLANCE_HEARTBEAT_H
#define PARLANCE_HEARTBEAT_H

#include "store/db.h"

/* A sign of life of this process: raises its number.  A store_change; arg is
 * not looked at. */
enum err heartbeat_raise(struct db *db, void *arg)
    __attribute__((warn_unused_result));

#endif
