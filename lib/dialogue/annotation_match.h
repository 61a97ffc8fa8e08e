/*
 * Does an annotation answer a question?  Questions are compared folded:
 * lower case, without accents' and punctuation's differences.  The same
 * folded text matches fully (1); else the score is the cosine of the two
 * texts' letter triples, 0 to 1, which forgives word endings and order.
 */
#ifndef PARLANCE_ANNOTATION_MATCH_H
#define PARLANCE_ANNOTATION_MATCH_H

#include "config/config.h"
#include "store/annotations.h"
#include "store/store.h"

/* Whether and how well: set over the API, else in the configuration. */
struct annotation_policy {
	bool enabled;
	double threshold;
};

enum err annotation_policy_read(struct store_pool *stores,
    const struct bot_config *bot, struct annotation_policy *policy)
    __attribute__((warn_unused_result));
/* The same on a connection that the caller has. */
enum err annotation_policy_load(struct db *db, const struct bot_config *bot,
    struct annotation_policy *policy) __attribute__((warn_unused_result));

/* The folded text, in the arena; data NULL when out of memory. */
struct span annotation_key(struct arena *arena, struct span question);

/* How alike two folded texts are, 0 to 1. */
double annotation_score(struct span a, struct span b);

/* The best annotation at or above the threshold; row->seq is 0 when there
 * is none. */
enum err annotation_match(struct db *db, const struct bot_config *bot,
    double threshold, struct span question, struct arena *arena,
    struct annotation_row *row) __attribute__((warn_unused_result));

#endif
