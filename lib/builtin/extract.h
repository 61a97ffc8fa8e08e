/* The sentences of some passages that answer a question. */
#ifndef PARLANCE_EXTRACT_H
#define PARLANCE_EXTRACT_H

#include "base/buf.h"
#include "config/config.h"
#include "engine/engine.h"
#include "knowledge/knowledge.h"
#include "knowledge/rank.h"

/*
 * Appends an answer in the passages' own words to out; words_max 0 means no
 * limit.  referred is the earlier question that this one continues, or
 * empty.  False: nothing fits, out is as it was.
 */
bool extract_answer(const struct engine_request *request, struct span referred,
    int64_t words_max, struct arena *arena, struct buf *out);

/* The language to answer in: asked for, the question's, the bot's; never
 * NULL. */
const struct language *extract_language(const struct engine_request *request);

#endif
