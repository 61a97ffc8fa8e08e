/*
 * Embeddings: texts become vectors, by an OpenAI-compatible server's POST
 * .../embeddings.  A call has a deadline, and without it everything else
 * works.
 */
#ifndef PARLANCE_EMBED_H
#define PARLANCE_EMBED_H

#include "base/arena.h"
#include "base/text.h"
#include "config/config.h"
#include "http/answer.h"

#define EMBED_TEXTS_MAX 64    /* in one call */
#define EMBED_BYTES_MAX 8000  /* of one text; the rest is left out */
#define EMBED_NUMBERS_MAX 8192

/* A vector of length 1, so that a product is a cosine. */
struct embed_vector {
	float *numbers;
	size_t n;
};

struct upstream;
struct embed_call;

/*
 * Asks for the vectors of all texts in one call, by u's worker.  ERR_CONFIG:
 * the engine cannot be used; ERR_MEMORY; what upstream_start() gives.
 */
enum err embed_start(struct upstream *u, const struct engine_config *engine,
    const struct span *texts, size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_call **call) __attribute__((warn_unused_result));
/*
 * True: it is over.  Then *err is ERR_NONE and the vectors are filled in, in
 * the arena; or it is ERR_TIMEOUT, ERR_UPSTREAM (the server failed, or its
 * answer is of no use) or ERR_MEMORY, and the reason was logged.
 */
bool embed_step(struct embed_call *call, int64_t now_ms,
    const struct interests *ready, struct embed_vector *vectors,
    enum err *err);
void embed_interests(const struct embed_call *call, struct interests *in);
void embed_end(struct embed_call *call); /* at any moment; NULL is fine */

/* The same at once, for those who may wait. */
enum err embed_texts(const struct engine_config *engine,
    const struct span *texts, size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_vector *vectors) __attribute__((warn_unused_result));

#endif
