/*
 * Knowledge: folders of texts (and datasets made over the API), cut into
 * segments, indexed, searched.  The index is derived data in a file of its
 * own, state/index.db, so that indexing never blocks answers.
 */
#ifndef PARLANCE_KNOWLEDGE_H
#define PARLANCE_KNOWLEDGE_H

#include "chat/chat.h"
#include "config/config.h"
#include "language/languages.h"
#include "upstream/embed.h"

/* Below this score a passage does not answer the question: the threshold of
 * the built-in engine's "I do not know".  README.md shows how it was
 * chosen. */
#define KNOWLEDGE_FOUND_SCORE 0.44

/*
 * Before a search: notices changed files, and an index that is not there or
 * was deleted.  It writes, and takes a second at the most; what is more goes
 * on behind it.  Costs next to nothing when the last check is not old (the
 * setting check_seconds).  bot NULL: for those who list datasets.
 */
void knowledge_check(const struct config *config,
    const struct bot_config *bot);

/* A question's vectors, one for each engine that made those of a dataset. */
#define KNOWLEDGE_ENGINES_MAX 4
#define KNOWLEDGE_EMBED_MS 3000 /* to wait for one */
struct knowledge_vectors {
	struct {
		const struct engine_config *engine;
		struct embed_vector vector; /* n is 0: there is none */
	} items[KNOWLEDGE_ENGINES_MAX];
	size_t n;
};

/* Which engines a search by this bot wants a vector of; the vectors are for
 * the caller to get (upstream/embed.h).  Reads the index, when any is
 * configured. */
void knowledge_engines(const struct config *config,
    const struct bot_config *bot, struct arena *arena,
    struct knowledge_vectors *vectors);

/* What a search found: passages, and the question as the dataset of the best
 * one spells it, with how often its words occur; query is NULL when nothing
 * was searched. */
struct query;
struct knowledge_found {
	struct passage *passages;
	size_t n;
	const struct query *query;
};

/*
 * Searches what the bot may see; only reads.  Fills at most top_k passages,
 * best first, in the arena; scores are 0 to 1 (knowledge/README.md says what
 * they mean).  found->n is 0 without an index.  vectors NULL: they are asked
 * for here, and waited for.
 *
 * history (oldest first, may be NULL when n_history is 0) is the
 * conversation before the question: a follow-up that names nothing itself
 * ("and its price?") is searched together with what it refers to, and system
 * turns ("User lives in Texas.") decide between passages that fit alike.
 *
 * ERR_NONE, ERR_MEMORY, or ERR_STORE...: an answer without passages is still
 * possible, so callers log and go on.  ERR_STORE_CORRUPT: the index was
 * discarded; knowledge_check() makes it again.
 */
enum err knowledge_find(const struct config *config,
    const struct bot_config *bot, struct span question,
    const struct chat_message *history, size_t n_history, size_t top_k,
    const struct knowledge_vectors *vectors, struct arena *arena,
    struct knowledge_found *found) __attribute__((warn_unused_result));

/* Both, for those who may wait: a check, then a search. */
enum err knowledge_search(const struct config *config,
    const struct bot_config *bot, struct span question,
    const struct chat_message *history, size_t n_history, size_t top_k,
    struct arena *arena, struct passage **passages, size_t *n)
    __attribute__((warn_unused_result));

/* What the bot's folders are about: headings of the documents in a language
 * (NULL: any), at most max, in the arena.  None when there is no index. */
size_t knowledge_topics(const struct config *config,
    const struct bot_config *bot, const struct language *language,
    struct arena *arena, struct span *topics, size_t max);

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
