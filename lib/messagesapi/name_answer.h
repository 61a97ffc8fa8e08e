/*
 * POST .../name with auto_generate where a model makes the name: the answer
 * waits for it, and keeps the old name when there is none in time.
 */
#ifndef PARLANCE_NAME_ANSWER_H
#define PARLANCE_NAME_ANSWER_H

#include "http/exchange.h"
#include "store/conversations.h"

/* Sends the conversation as it is at the end. */
typedef enum err (*name_answer_send)(struct exchange *x,
    const struct conversation_row *c);

/* Leaves the answer in x->answer; *c and query live in the request's arena.
 * *started is false, and nothing is left, when no model can be asked. */
enum err name_answer_begin(struct exchange *x, struct conversation_row *c,
    struct span query, name_answer_send send, bool *started)
    __attribute__((warn_unused_result));

#endif
