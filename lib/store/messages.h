/*
 * Messages: one question and its answer, in a conversation.
 *
 * A row is made when its turn starts ("running") and completed once, when
 * the turn ends.  Whoever answers signs it; readers take a row whose owner is
 * dead (store/alive.h) for a failed one.  Nothing has to clean up after it.
 */
#ifndef PARLANCE_MESSAGES_H
#define PARLANCE_MESSAGES_H

#include <stddef.h>

#include "store/db.h"

enum message_state { MESSAGE_RUNNING, MESSAGE_NORMAL, MESSAGE_ERROR };

/* What a message says whose process has gone. */
#define MESSAGE_LOST "The server stopped before the answer was complete."

struct message_row {
	int64_t seq;
	const char *id;
	int64_t conversation;
	const char *conversation_id; /* filled by messages_find */
	int64_t end_user;
	enum message_state state; /* readers see a lost one as an error */
	int64_t created_us;
	struct span inputs;    /* JSON object */
	struct span query, answer;
	const char *error;     /* NULL when none */
	struct span resources; /* retriever_resources, a JSON array */
	int64_t n_files;
	int64_t prompt_tokens, answer_tokens;
	bool estimated;        /* counted here; written, never read back */
	double latency_s;
	const char *total_price, *currency; /* NULL until it ended */
	const char *rating; /* this end user's feedback, or NULL */
};

/* Adds a running row: id, conversation, end_user, created_us, inputs, query
 * and n_files are taken from it; fills in seq. */
enum err messages_add(struct db *db, const char *bot, struct message_row *row)
    __attribute__((warn_unused_result));

/* Completes it: state, answer, error, resources, tokens (and whether they are
 * estimated), latency, price and currency are taken from row.  ERR_CONFLICT
 * when it was not running. */
enum err messages_finish(struct db *db, const struct message_row *row)
    __attribute__((warn_unused_result));

/* The same when the answer was not told after all, whether it was completed
 * or not; unless it has failed already, which is ERR_CONFLICT. */
enum err messages_fail(struct db *db, const struct message_row *row)
    __attribute__((warn_unused_result));

/* ERR_NOT_FOUND: unknown, another end user's, or its conversation was
 * deleted. */
enum err messages_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct message_row *row)
    __attribute__((warn_unused_result));

/* A page: the newest `limit` messages inserted before the message `before`
 * (0: before none), oldest first.  *more: older ones remain. */
enum err messages_page(struct db *db, int64_t conversation, int64_t before,
    size_t limit, struct arena *arena, struct message_row **rows,
    size_t *n, bool *more)
    __attribute__((warn_unused_result));

/* The seq of a message of this conversation by its id; ERR_NOT_FOUND. */
enum err messages_seq(struct db *db, int64_t conversation, struct span id,
    int64_t *seq) __attribute__((warn_unused_result));

/* The question of the conversation's first message; ERR_NOT_FOUND. */
enum err messages_first_query(struct db *db, int64_t conversation,
    struct arena *arena, struct span *query)
    __attribute__((warn_unused_result));

struct message_pair {
	struct span query, answer;
};

/*
 * What was said before, for the prompt: at most `most` finished messages
 * with an answer, the newest that fit into max_bytes, inserted before the
 * message `before` (0: all), oldest first.  A running, a failed or an empty
 * answer is never among them.
 */
enum err messages_history(struct db *db, int64_t conversation, int64_t before,
    size_t max, size_t max_bytes, struct arena *arena,
    struct message_pair **pairs, size_t *n)
    __attribute__((warn_unused_result));

#endif
