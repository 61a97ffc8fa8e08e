/*
 * The prompt of a turn, as a model wants it: one system message (persona
 * with its {{variables}}, passages, language, length), the history within
 * the token budget, the question.
 */
#ifndef PARLANCE_PROMPT_H
#define PARLANCE_PROMPT_H

#include "turn/turn.h"

/* Fills request->prompt and n_prompt from the setup and the passages
 * already in *request. ERR_MEMORY. */
enum err prompt_build(const struct turn_setup *setup,
    struct engine_request *request, struct arena *arena)
    __attribute__((warn_unused_result));

#endif
