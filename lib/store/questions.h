/*
 * What was asked, answered and rated, and what it used: for the owner's
 * reports, over all apps.
 */
#ifndef PARLANCE_QUESTIONS_H
#define PARLANCE_QUESTIONS_H

#include <stddef.h>

#include "store/db.h"
#include "store/messages.h"

struct question_filter {
	const char *app;  /* NULL: all */
	int64_t since_us; /* 0: from the first */
	bool unanswered;  /* only those that failed or found nothing */
	int64_t skip;
	size_t limit;
};

struct question_row {
	int64_t created_us;
	const char *app, *bot;  /* ids */
	const char *conversation_id;
	struct span query, answer;
	enum message_state state;
	bool found;             /* it has citations */
	const char *rating;     /* or NULL */
};

/* Newest first, without those of conversations that were deleted; *total: how
 * many there are in all.  In the arena. */
enum err questions_page(struct db *db, const struct question_filter *filter,
    struct arena *arena, struct question_row **rows, size_t *n,
    int64_t *total) __attribute__((warn_unused_result));

/* Sums of a UTC day. */
struct question_sum {
	int64_t day;           /* since 1970-01-01 */
	const char *app, *bot; /* ids; of the bot API: NULL */
	const char *account;   /* of the bot API: a key's name; else NULL */
	int64_t questions;     /* of the bot API: 0, they are not counted */
	int64_t failed, prompt_tokens, answer_tokens;
	const char *currency;  /* "" when it has no price */
	char price[64];        /* exact */
};

/* All from a day on, the newest first, also of what was removed; in the
 * arena.  ERR_TOO_BIG: a price does not fit. */
enum err questions_sums(struct db *db, int64_t since_day, struct arena *arena,
    struct question_sum **sums, size_t *n) __attribute__((warn_unused_result));

/* Keeps the sums of a conversation that is being removed; within that
 * transaction. */
enum err questions_keep_sums(struct db *db, int64_t conversation)
    __attribute__((warn_unused_result));

#endif
