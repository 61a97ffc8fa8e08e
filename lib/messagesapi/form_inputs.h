/*
 * `inputs`, checked against the bot's input form (contracts/chat-messages.md
 * 2, "Form inputs").  Names that the form does not have are dropped.
 */
#ifndef PARLANCE_FORM_INPUTS_H
#define PARLANCE_FORM_INPUTS_H

#include "messagesapi/chat_files.h"
#include "turn/turn.h"

struct form_inputs {
	struct turn_input *values; /* as text, for {{name}} */
	size_t n;
	struct span json; /* the object that is stored and given back */
};

/*
 * Outcomes as chat_files_add: ERR_INPUT with *why for the client.  Files
 * given as inputs join `files`.
 */
enum err form_inputs_read(struct exchange *x, struct db *db,
    int64_t end_user, const struct pyjson *inputs, struct chat_files *files,
    struct form_inputs *out, const char **why)
    __attribute__((warn_unused_result));

/* text with each {{name}} of a value replaced, other marks left alone; in
 * the arena, data NULL when out of memory. */
struct span form_inputs_fill(struct arena *arena, const char *text,
    const struct form_inputs *inputs);

#endif
