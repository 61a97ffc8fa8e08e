/*
 * When an answer is over: what a server's words for it mean.  The rule as a
 * whole stands in README.md, "When an answer is over".
 */
#ifndef PARLANCE_OPENAI_END_H
#define PARLANCE_OPENAI_END_H

#include <stdbool.h>

#include "base/text.h"

struct pyjson;

enum openai_end {
	END_NONE,    /* says nothing about an end */
	END_STOP,    /* the model has said all it wanted to */
	END_LENGTH,  /* it was not allowed to say more */
	END_FILTER,  /* a content filter cut the answer off */
	END_FAILURE  /* the server could not go on */
};

/* What the value of finish_reason says; NULL is END_NONE. */
enum openai_end openai_end_of(const struct pyjson *reason);

/* Is the data of an event the mark behind the last chunk: [DONE], in any
 * case of letters, as a JSON text too? */
bool openai_end_mark(struct span data);

/* Does a word of a server ("error", "server_error", "Aborted") or a sentence
 * mean that something failed? */
bool openai_end_is_failure(struct span words);

#endif
