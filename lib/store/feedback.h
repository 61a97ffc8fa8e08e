/* What end users thought of answers: one row for a message and end user. */
#ifndef PARLANCE_FEEDBACK_H
#define PARLANCE_FEEDBACK_H

#include <stddef.h>

#include "store/db.h"

struct feedback_row {
	const char *id, *conversation_id, *message_id, *end_user_id;
	const char *rating;  /* "like" or "dislike" */
	struct span content; /* SPAN_NONE: null */
	int64_t created_us, updated_us;
};

/* Makes or replaces it. */
enum err feedback_set(struct db *db, const char *app, int64_t message,
    int64_t end_user, const char *rating, struct span content,
    int64_t now_us) __attribute__((warn_unused_result));
/* ERR_NOT_FOUND when there is none. */
enum err feedback_remove(struct db *db, int64_t message, int64_t end_user)
    __attribute__((warn_unused_result));
/* The app's, newest first: `limit` rows after the first `skip`. */
enum err feedback_page(struct db *db, const char *app, int64_t skip,
    size_t limit, struct arena *arena, struct feedback_row **rows, size_t *n)
    __attribute__((warn_unused_result));

#endif
