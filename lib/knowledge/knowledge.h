/*
 * Knowledge: folders of texts (and datasets made over the API), cut into
 * segments, indexed, searched.  The index is derived data in a file of its
 * own, state/index.db, so that indexing never blocks answers.
 */
#ifndef PARLANCE_KNOWLEDGE_H
#define PARLANCE_KNOWLEDGE_H

#include "chat/chat.h"
#include "config/config.h"

/* Below this score a passage does not answer the question: the threshold of
 * the built-in engine's "I do not know".  README.md shows how it was
 * chosen. */
#define KNOWLEDGE_FOUND_SCORE 0.44

/*
 * Searches what the bot may see.  Fills at most top_k passages, best first,
 * in the arena; scores are 0 to 1 (knowledge/README.md says what they mean).
 * Notices changed files first (a bounded check).  No index yet: it is made
 * when that is quick, else *n is 0.
 *
 * history (oldest first, may be NULL when n_history is 0) is the
 * conversation before the question: a follow-up that names nothing itself
 * ("and its price?") is searched together with what it refers to, and system
 * turns ("User lives in Texas.") decide between passages that fit alike.
 *
 * ERR_NONE, ERR_MEMORY, or ERR_STORE...: an answer without passages is still
 * possible, so callers log and go on.
 */
enum err knowledge_search(const struct config *config,
    const struct bot_config *bot, struct span question,
    const struct chat_message *history, size_t n_history, size_t top_k,
    struct arena *arena, struct passage **passages, size_t *n)
    __attribute__((warn_unused_result));

/* What a search found: as knowledge_search(), and the question as the
 * dataset of the best passage spells it, with how often its words occur;
 * query is NULL when nothing was searched. */
struct query;
struct knowledge_found {
	struct passage *passages;
	size_t n;
	const struct query *query;
};
enum err knowledge_find(const struct config *config,
    const struct bot_config *bot, struct span question,
    const struct chat_message *history, size_t n_history, size_t top_k,
    struct arena *arena, struct knowledge_found *found)
    __attribute__((warn_unused_result));

/* The same in one dataset, declared or made over the API, by its id; no
 * score is too low.  *n is 0 when the index does not have it. */
enum err knowledge_retrieve(const struct config *config, const char *dataset,
    struct span question, size_t top_k, struct arena *arena,
    struct passage **passages, size_t *n) __attribute__((warn_unused_result));

/* Brings the index of one knowledge (NULL: of all) up to date; progress and
 * skipped files go to stderr when verbose, and then it waits for another
 * pass to end; else ERR_STORE_BUSY says there is one. */
enum err knowledge_index(const struct config *config, const char *name,
    bool verbose) __attribute__((warn_unused_result));

#endif
