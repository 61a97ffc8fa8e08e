/* The body of POST .../chat/completions. */
#ifndef PARLANCE_OPENAI_REQUEST_H
#define PARLANCE_OPENAI_REQUEST_H

#include "base/buf.h"
#include "engine/engine.h"

struct openai_dialect {
	bool usage;          /* ask for token counts at the end of the stream */
	bool max_completion; /* the longest answer is max_completion_tokens */
};

/* Appends the JSON text.  Files that cannot be read are left out, logged. */
void openai_request_body(const struct engine_config *engine,
    const struct engine_request *request, struct openai_dialect dialect,
    struct buf *out);

#endif
