/*
 * Names for conversations (contracts/chat-messages.md 5, "Name"), made from
 * the first question.
 */
#ifndef PARLANCE_TITLE_H
#define PARLANCE_TITLE_H

#include "base/arena.h"
#include "base/text.h"

/* Longest name that a person may give, in characters. */
#define TITLE_MAX 255

/* The question on one line; more than 50 characters become the first 47 and
 * "...".  Empty when it has none; data is NULL when out of memory. */
struct span title_from_query(struct arena *arena, struct span query);

#endif
