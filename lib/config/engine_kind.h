/*
 * The kinds of engines that a configuration may name: the one table of them.
 * The last column starts one (turn/engine_kinds.c).
 */
#ifndef PARLANCE_ENGINE_KIND_H
#define PARLANCE_ENGINE_KIND_H

#include <stdbool.h>

struct engine_config;

/* Name, its text, is it a server elsewhere, what starts it. */
#define ENGINE_KINDS(X)                                                        \
	X(BUILTIN, "builtin", false, builtin_start)                            \
	X(REPLAY, "replay", false, replay_start)                               \
	X(OPENAI, "openai", true, openai_start)
/* The texts, for the setting. */
#define ENGINE_KIND_CHOICES "builtin|replay|openai"

enum engine_kind {
#define X(name, text, remote, start) ENGINE_##name,
	ENGINE_KINDS(X)
#undef X
	ENGINE_KINDS_COUNT /* none of them */
};

enum engine_kind engine_kind(const struct engine_config *engine);

/*
 * Does a server elsewhere make its answers?  Then it has an address and may
 * have a key, may make embeddings, counts tokens in its own way, and its start
 * does not block.  Else the answer is made when it is started.
 */
bool engine_is_remote(const struct engine_config *engine);

#endif
