/*
 * POST .../name with auto_generate where a model makes the name: the answer
 * waits for it, and keeps the old name when there is none in time.
 */
#ifndef PARLANCE_NAME_ANSWER_H
#define PARLANCE_NAME_ANSWER_H

#include "http/exchange.h"
#include "store/conversations.h"

/* Puts the conversation as it is at the end into the body. */
typedef void (*name_answer_json)(struct buf *out,
    const struct conversation_row *c);

/* Leaves the answer in x->answer; *c, user (the end user's own name) and
 * query live in the request's arena.  It is a turn of the key's: when that
 * has no room for it, a 429 is written. */
enum err name_answer_begin(struct exchange *x, struct span user,
    struct conversation_row *c, struct span query, name_answer_json json)
    __attribute__((warn_unused_result));

#endif
