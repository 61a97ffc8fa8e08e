/* The built-in engine: answers from the bot's own words, without a network. */
#ifndef PARLANCE_BUILTIN_H
#define PARLANCE_BUILTIN_H

#include "engine/engine.h"

/* An engine_start_fn.  Its first event is never ENGINE_WAIT. */
enum err builtin_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
    __attribute__((warn_unused_result));

#endif
