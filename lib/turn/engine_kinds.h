/* The kinds of engines that a configuration may name. */
#ifndef PARLANCE_ENGINE_KINDS_H
#define PARLANCE_ENGINE_KINDS_H

#include "engine/engine.h"

/* Starts the engine by its kind; end it with (*run)->ops->free.  ERR_CONFIG:
 * no such kind; else as engine_start_fn. */
enum err engine_kinds_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
    __attribute__((warn_unused_result));

#endif
