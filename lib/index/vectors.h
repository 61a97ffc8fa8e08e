/* The vectors of segments: made in passes of their own, kept in the index,
 * compared one by one (exactly; good to 100,000 segments). */
#ifndef PARLANCE_VECTORS_H
#define PARLANCE_VECTORS_H

#include "upstream/embed.h"
#include "index/index_store.h"

/* The engine that a knowledge names; NULL: none. */
const struct engine_config *vectors_engine(const struct config *config,
    const struct knowledge_config *k);

/* How many segments of the dataset have none yet. */
enum err vectors_missing(struct index_store *x, int64_t dataset, int64_t *n)
    __attribute__((warn_unused_result));

/* Makes what is missing, EMBED_TEXTS_MAX at a time; what was made stays when
 * the server fails.  Waits for it, so it is for the command only. */
enum err vectors_update(const struct config *config,
    const struct knowledge_config *k, bool verbose)
    __attribute__((warn_unused_result));

struct vector_hit {
	int64_t segment;
	double cosine;
};

/* The nearest segments, best first; *n at most `most`. */
enum err vectors_nearest(struct index_store *x, int64_t dataset,
    const struct embed_vector *v, struct vector_hit *hits, size_t max,
    size_t *n) __attribute__((warn_unused_result));

#endif
