/* What the user said earlier in the conversation, said back. */
#ifndef PARLANCE_RECALL_H
#define PARLANCE_RECALL_H

#include "base/buf.h"
#include "config/config.h"
#include "engine/engine.h"

/*
 * Answers a question about the user ("what is my hobby?") from earlier turns
 * and system turns: "Your hobby is chess."  Where the question asks for one
 * word, or yes or no, that is the answer's form.  Appends to out; false:
 * it is no such question, or nothing was said.
 */
bool recall_answer(const struct engine_request *request, struct arena *arena,
    struct buf *out);

#endif
