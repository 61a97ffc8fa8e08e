/*
 * Usage per end user and UTC day (contracts/chat.md 9), as rows of the
 * store.  Adding is one statement, so counts stay exact however many
 * processes add at once.
 */
#ifndef PARLANCE_USAGE_ROWS_H
#define PARLANCE_USAGE_ROWS_H

#include "base/arena.h"
#include "base/err.h"
#include "store/db.h"

struct usage_counts {
	int64_t original_tokens;    /* text the client sent */
	int64_t enhancement_tokens; /* text the service added */
	int64_t response_tokens;    /* the answer */
	int64_t original_words, enhancement_words, response_words;
};

struct usage_day {
	int32_t day; /* since 1970-01-01 */
	struct usage_counts counts;
};

/* Whom usage without an end user is counted for. */
#define USAGE_NOBODY "-1"

/* Adds counts to a day of account's end_user.  The user may be any text;
 * one over 100 bytes is kept by its hash. */
enum err usage_rows_add(struct db *db, const char *account,
    struct span end_user, int32_t day, const struct usage_counts *counts)
    __attribute__((warn_unused_result));

/* The days from first to last that have usage, ascending; in the arena. */
enum err usage_rows_days(struct db *db, const char *account,
    struct span end_user, int32_t first, int32_t last, struct arena *arena,
    struct usage_day **days, size_t *n) __attribute__((warn_unused_result));

/* Adds c to sum, count by count. */
void usage_counts_add(struct usage_counts *sum, const struct usage_counts *c);

#endif
