/*
 * Annotations: answers written by hand for a bot, and whether they are used
 * for questions that resemble theirs (contracts/chat-messages.md, tier 2).
 */
#ifndef PARLANCE_ANNOTATIONS_H
#define PARLANCE_ANNOTATIONS_H

#include <stddef.h>

#include "store/db.h"

struct annotation_row {
	int64_t seq;
	const char *id;
	struct span question, answer;
	struct span key; /* the folded question */
	int64_t hit_count, created_us;
};

/* Adds the row with everything but seq, which it fills in. */
enum err annotations_add(struct db *db, const char *bot,
    struct annotation_row *row) __attribute__((warn_unused_result));
/* ERR_NOT_FOUND: unknown, or another bot's. */
enum err annotations_find(struct db *db, const char *bot, struct span id,
    struct arena *arena, struct annotation_row *row)
    __attribute__((warn_unused_result));
enum err annotations_by_seq(struct db *db, int64_t seq, struct arena *arena,
    struct annotation_row *row) __attribute__((warn_unused_result));
enum err annotations_update(struct db *db, const struct annotation_row *row)
    __attribute__((warn_unused_result));
enum err annotations_delete(struct db *db, const char *bot, struct span id)
    __attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
/* It was used once more. */
enum err annotations_hit(struct db *db, int64_t seq)
    __attribute__((warn_unused_result));

/* Newest first: `limit` rows after the first `skip` of those that contain
 * keyword (empty: all) in question or answer; *total counts them all. */
enum err annotations_page(struct db *db, const char *bot, struct span keyword,
    int64_t skip, size_t limit, struct arena *arena,
    struct annotation_row **rows, size_t *n, int64_t *total)
    __attribute__((warn_unused_result));

/* Calls each(row, closure) for the bot's annotations, oldest first, until it
 * returns false.  The row's texts live until it returns. */
enum err annotations_each(struct db *db, const char *bot,
    bool (*each)(const struct annotation_row *row, void *closure),
    void *closure) __attribute__((warn_unused_result));

/* ERR_NOT_FOUND when it was never set over the API. */
enum err annotation_reply_get(struct db *db, const char *bot, bool *enabled,
    double *threshold) __attribute__((warn_unused_result));
enum err annotation_reply_set(struct db *db, const char *bot, bool enabled,
    double threshold) __attribute__((warn_unused_result));

enum err annotation_jobs_add(struct db *db, const char *id, const char *bot,
    const char *action, int64_t now_us) __attribute__((warn_unused_result));
/* ERR_NOT_FOUND: no such job of this bot and action. */
enum err annotation_jobs_find(struct db *db, struct span id, const char *bot,
    const char *action) __attribute__((warn_unused_result));

#endif
