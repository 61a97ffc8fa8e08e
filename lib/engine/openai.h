/*
 * The engine for every server that speaks POST .../chat/completions: hosted
 * providers, vLLM, llama.cpp, Ollama, LiteLLM.
 *
 * The answer is always asked for as a stream; a server that sends one plain
 * JSON completion instead is understood as well.  A call is complete only
 * when [DONE] or a finish reason was seen; anything else is a fault.  A
 * failed call is made again (429, 502, 503, 504, no connection) as long as
 * nothing of it was handed on, at most `retries` times, within the total
 * deadline.  Nothing of the client's request chooses the address, the key or
 * a header.
 */
#ifndef PARLANCE_OPENAI_H
#define PARLANCE_OPENAI_H

#include "engine/engine.h"

/* An engine_start_fn. */
enum err openai_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
    __attribute__((warn_unused_result));

#endif
