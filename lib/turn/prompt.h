/*
 * The prompt of a turn, as a model wants it: one system message (persona
 * with its {{variables}}, passages, language, length), the history within
 * the token budget, the question.
 */
#ifndef PARLANCE_PROMPT_H
#define PARLANCE_PROMPT_H

#include "base/buf.h"
#include "turn/turn_setup.h"

/* Fills request->prompt and n_prompt from the setup and the passages
 * already in *request.  ERR_MEMORY, ERR_TOO_BIG. */
enum err prompt_build(const struct turn_setup *setup,
    struct engine_request *request, struct arena *arena)
    __attribute__((warn_unused_result));

/*
 * Appends text with every {{name}} (blanks inside the braces are fine)
 * replaced by the input of that name, else by the default of the bot's form
 * control of that name, else by nothing when there is such a control.  A
 * name nobody knows stays as it is written.  What is put in is not looked at
 * again.
 */
void prompt_fill(struct buf *out, const char *text,
    const struct bot_config *bot, const struct turn_input *inputs,
    size_t n_inputs);

#endif
