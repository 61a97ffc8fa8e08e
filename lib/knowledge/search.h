/* Finding the segments of one dataset that fit a question. */
#ifndef PARLANCE_SEARCH_H
#define PARLANCE_SEARCH_H

#include "chat/chat.h"
#include "index/index_store.h"
#include "knowledge/query.h"
#include "index/vectors.h"

struct search_hit {
	struct passage passage;
	const struct index_dataset *dataset;
	int64_t segment; /* its row */
	double joined;   /* sum of reciprocal ranks */
};

/* How a score came about; for tuning and for `make bench`. */
struct search_hits {
	struct search_hit *items; /* best first; in the arena */
	size_t n;
};

/* v: the question's vector, or NULL: then both orders are joined by
 * reciprocal ranks, and a score is the better of word score and cosine, but
 * never above the score before it.  The best `most` segments; words of the
 * query that the dataset does not have are exchanged for words like them.
 * ERR_NONE also when there are none. */
enum err search_dataset(struct index_store *x, const struct index_dataset *d,
    struct query *q, const struct embed_vector *v, size_t max,
    struct arena *arena, struct search_hits *hits)
    __attribute__((warn_unused_result));

#endif
