/* The log's line for a call that failed: what, where, the server's own
 * words, and what may be wrong where one can guess. */
#ifndef PARLANCE_OPENAI_FAULT_H
#define PARLANCE_OPENAI_FAULT_H

#include "base/buf.h"
#include "engine/engine.h"

struct endpoint;

struct openai_fault {
	const struct engine_config *engine;
	const struct endpoint *at;
	enum engine_fault fault;
	int status;               /* 0: no reply came */
	const char *content_type; /* "" or NULL: none */
	const char *redirect;     /* where it leads; "" or NULL: it is none */
	const char *reason;       /* of the transport, or NULL */
	const char *words;        /* the server's, made for the log; or "" */
};

/* What the operator may look at; NULL when there is no guess. */
const char *openai_fault_guess(const struct openai_fault *f);

/* Appends the line: no key, no query of an address, no words of a user. */
void openai_fault_text(const struct openai_fault *f, struct buf *out);

#endif
