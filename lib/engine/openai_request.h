/* The body of POST .../chat/completions. */
#ifndef PARLANCE_OPENAI_REQUEST_H
#define PARLANCE_OPENAI_REQUEST_H

#include "base/buf.h"
#include "engine/engine.h"

/* Appends the JSON text.  include_usage: ask for token counts at the end of
 * the stream.  Files that cannot be read are left out, logged. */
void openai_request_body(const struct engine_config *engine,
    const struct engine_request *request, bool include_usage,
    struct buf *out);

#endif
