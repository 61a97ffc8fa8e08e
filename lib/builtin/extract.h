/* The sentences of some passages that answer a question. */
#ifndef PARLANCE_EXTRACT_H
#define PARLANCE_EXTRACT_H

#include "base/buf.h"
#include "config/config.h"
#include "engine/engine.h"
#include "knowledge/knowledge.h"
#include "knowledge/rank.h"

/* Below this confidence nothing is said: what else would be let through, and
 * what is lost, is measured by sites_bench and evaluation_bench. */
#define EXTRACT_CONFIDENT 0.5
#define EXTRACT_USED_MAX 16

/* A passage that was weighed, and how far its best sentence answers. */
struct extract_look {
	struct span content;
	double confidence;
};

struct extract_result {
	double confidence; /* of the best sentence or row, 0 to 1 */
	enum answer_kind kind; /* what was asked for */
	struct passage used[EXTRACT_USED_MAX]; /* what the answer is from */
	size_t n_used;
	struct extract_look looked[EXTRACT_USED_MAX];
	size_t n_looked;
};

/*
 * Appends an answer in the passages' own words to out; words_max 0 means no
 * limit.  referred is the earlier question that this one continues, or
 * empty.  False: nothing fits, out is as it was; the confidence tells how
 * far the best was from it.
 */
bool extract_answer(const struct engine_request *request, struct span referred,
    int64_t words_max, struct arena *arena, struct extract_result *result,
    struct buf *out);

/* The language the question is in, as far as can be told: by its words, by
 * the conversation, the bot's, the texts'; or NULL. */
const struct language *extract_spoken(const struct engine_request *request);
/* The language to answer in: asked for, else spoken; never NULL. */
const struct language *extract_language(const struct engine_request *request);

#endif
