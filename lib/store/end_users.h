/*
 * End users: the callers' own opaque `user` texts, each a row with an id of
 * its own, made on first sight (contracts/chat-messages.md 0).  They are
 * known within an app: one key's view of one bot.
 */
#ifndef PARLANCE_END_USERS_H
#define PARLANCE_END_USERS_H

#include "store/db.h"

struct end_user_row {
	int64_t seq;       /* 0: no row */
	const char *id;    /* UUID */
	struct span name;  /* the caller's text */
	bool anonymous;    /* the shared user of requests without one */
	int64_t created_us, updated_us;
};

/* ERR_NOT_FOUND when this app has never seen the name. */
enum err end_users_find(struct db *db, const char *app, struct span name,
    struct arena *arena, struct end_user_row *row)
    __attribute__((warn_unused_result));

/* As end_users_find, and makes the row when there is none.  Inside a write
 * transaction. */
enum err end_users_ensure(struct db *db, const char *app, struct span name,
    bool anonymous, int64_t now_us, struct arena *arena,
    struct end_user_row *row) __attribute__((warn_unused_result));

/* By its own id. ERR_NOT_FOUND also when it is another app's. */
enum err end_users_get(struct db *db, const char *app, struct span id,
    struct arena *arena, struct end_user_row *row)
    __attribute__((warn_unused_result));

#endif
