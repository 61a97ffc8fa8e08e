/*
 * What most handlers begin with: a connection, and the end user's row on
 * it.  Reading never makes rows: a user that was never seen has nothing.
 */
#ifndef PARLANCE_API_STORE_H
#define PARLANCE_API_STORE_H

#include "http/exchange.h"
#include "messagesapi/parse.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/store.h"

/* Leases a connection; *end_user has seq 0 when the user is unknown.  On an
 * error nothing is leased. */
enum err api_store_open(struct exchange *x, const struct api_user *user,
    struct db **db, struct end_user_row *end_user)
    __attribute__((warn_unused_result));

/* The conversation that the path names, on a fresh lease.  ERR_NOT_FOUND:
 * the caller answers "Conversation Not Exists."; nothing is leased. */
enum err api_store_conversation(struct exchange *x,
    const struct api_user *user, struct span id, struct db **db,
    struct conversation_row *conversation)
    __attribute__((warn_unused_result));

/* The lower-case form of a captured UUID, which matched {uuid}; in out. */
struct span api_store_uuid(struct span captured, char out[UUID_TEXT]);

#endif
