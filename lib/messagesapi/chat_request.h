/*
 * The body of POST /chat-messages, read in the order that
 * contracts/chat-messages.md 2 gives: `user` alone, then the schema of all
 * fields at once.
 */
#ifndef PARLANCE_CHAT_REQUEST_H
#define PARLANCE_CHAT_REQUEST_H

#include "messagesapi/parse.h"

struct chat_request {
	struct api_user user;
	struct span query; /* without NULs; may be empty: checked later */
	const struct pyjson *inputs; /* an object */
	const struct pyjson *files;  /* an array of objects, or NULL */
	char conversation_id[UUID_TEXT]; /* "" for a new one */
	bool streaming;
	bool auto_name;
};

/* ERR_ANSWERED: it is refused. */
enum err chat_request_read(struct exchange *x, struct chat_request *request)
    __attribute__((warn_unused_result));

#endif
