/*
 * Embeddings: texts become vectors, by an OpenAI-compatible server's POST
 * .../embeddings.  The one place of lib/knowledge that waits for a network;
 * it has a deadline, and without it everything else works.
 */
#ifndef PARLANCE_EMBED_H
#define PARLANCE_EMBED_H

#include "base/arena.h"
#include "base/text.h"
#include "config/config.h"

#define EMBED_TEXTS_MAX 64    /* in one call */
#define EMBED_BYTES_MAX 8000  /* of one text; the rest is left out */
#define EMBED_NUMBERS_MAX 8192

/* A vector of length 1, so that a product is a cosine. */
struct embed_vector {
	float *numbers;
	size_t n;
};

/*
 * All texts in one call; vectors[] are filled in, in the arena.
 * ERR_CONFIG: the engine cannot be used; ERR_TIMEOUT; ERR_UPSTREAM: it
 * failed or its answer is of no use; ERR_MEMORY.  The reason was logged.
 */
enum err embed_texts(const struct engine_config *engine,
    const struct span *texts, size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_vector *vectors) __attribute__((warn_unused_result));

#endif
