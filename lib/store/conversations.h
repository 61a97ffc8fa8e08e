/*
 * Conversations (contracts/chat-messages.md 5): each belongs to one end user
 * and is seen by nobody else.  A deleted one is marked, and from then on is
 * not found by any of these functions.
 */
#ifndef PARLANCE_CONVERSATIONS_H
#define PARLANCE_CONVERSATIONS_H

#include <stddef.h>

#include "store/db.h"

#define CONVERSATION_NEW_NAME "New conversation"

/* Who gave a conversation its name; a title never replaces a person's. */
enum conversation_named { NAMED_NOT, NAMED_BY_TITLE, NAMED_BY_HAND };

struct conversation_row {
	int64_t seq;
	const char *id;
	struct span name;
	enum conversation_named named;
	struct span inputs;       /* a JSON object, as text */
	struct span introduction;
	int64_t created_us, updated_us;
};

enum conversation_order {
	BY_CREATION, BY_CREATION_DOWN, BY_UPDATE, BY_UPDATE_DOWN
};

/* ERR_NOT_FOUND: unknown, deleted, or another end user's. */
enum err conversations_find(struct db *db, int64_t end_user, struct span id,
    struct arena *arena, struct conversation_row *row)
    __attribute__((warn_unused_result));

/* Adds the row with everything but seq, which it fills in. */
enum err conversations_add(struct db *db, int64_t end_user,
    struct conversation_row *row) __attribute__((warn_unused_result));

/* A turn starts in it.  ERR_NOT_FOUND: deleted meanwhile. */
enum err conversations_touch(struct db *db, int64_t seq, int64_t now_us)
    __attribute__((warn_unused_result));
enum err conversations_rename(struct db *db, int64_t seq, struct span name,
    int64_t now_us) __attribute__((warn_unused_result));
/* A title made from the first message.  When `asked` a person wants it now,
 * and it replaces any name; else only the name that nobody gave. */
enum err conversations_title(struct db *db, int64_t seq, struct span title,
    bool asked) __attribute__((warn_unused_result));
enum err conversations_delete(struct db *db, int64_t seq)
    __attribute__((warn_unused_result));

/*
 * One page of an end user's conversations, strictly after `after` (NULL: from
 * the start) by the order's time and then by insertion.  *more: there is at
 * least one further.
 */
enum err conversations_page(struct db *db, int64_t end_user,
    enum conversation_order order, const struct conversation_row *after,
    size_t limit, struct arena *arena, struct conversation_row **rows,
    size_t *n, bool *more) __attribute__((warn_unused_result));

#endif
