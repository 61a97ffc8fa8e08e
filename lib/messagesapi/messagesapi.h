/*
 * The messages API (contracts/chat-messages.md): chat-messages and the rest
 * of the chat-app family, as one family of routes.
 *
 * A key opens one app: a key that is bound to a bot serves that bot, a key
 * bound to none serves the first bot of the configuration.  End users,
 * conversations, messages, files and feedback belong to the key and the bot
 * together, so two keys of one bot never see each other's; annotations
 * belong to the bot.
 */
#ifndef PARLANCE_MESSAGESAPI_H
#define PARLANCE_MESSAGESAPI_H

#include "auth/caller.h"
#include "base/uuid.h"
#include "http/router.h"

extern const struct family messagesapi_family;

/* Flags of this family's routes. */
#define ROUTE_OPEN 1U    /* needs no key */
#define ROUTE_DATASET 2U /* a key of kind "dataset" instead of "app" */

/* What the guard leaves in x->caller. */
struct app_caller {
	struct caller caller; /* bot is the one served; never NULL for an
	                       * "app" key */
	char app_id[UUID_TEXT]; /* of key and bot together */
};

const struct app_caller *messagesapi_caller(const struct exchange *x);
/* The id of the workspace, "tenant_id". */
void messagesapi_tenant(const struct exchange *x, char id[UUID_TEXT]);

#endif
