/* Where an engine of the kind openai is asked, and with which key. */
#ifndef PARLANCE_ENDPOINT_H
#define PARLANCE_ENDPOINT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

struct engine_config;

#define ENDPOINT_CHAT "/chat/completions"
#define ENDPOINT_EMBEDDINGS "/embeddings"
#define ENDPOINT_SHOWN 300

struct endpoint {
	const char *url;
	const char *key;           /* NULL: it needs none */
	const char *authorization; /* the header's line, or NULL */
};

/*
 * The engine's `url` with `path` of the engine, else with this usual path
 * behind it, unless the address ends with it already.  A query stays behind
 * the path.  The key goes into the header `key_header`, else, as a bearer
 * token, into Authorization.
 *
 * ERR_CONFIG: the engine cannot be used (logged: why); ERR_MEMORY.
 * All in the arena, or the configuration's.
 */
enum err endpoint_of(const struct engine_config *engine, const char *usual,
    struct arena *arena, struct endpoint *out)
    __attribute__((warn_unused_result));

/* An address for the log and for people: without user, query and
 * fragment, which may hold keys.  Cut off when it is too long. */
void endpoint_show(struct span url, char out[ENDPOINT_SHOWN]);

#endif
