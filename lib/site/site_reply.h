/* What a visitor's page gets instead of an answer: {"code", "message",
 * "status"}; page.js says each code in the visitor's words. */
#ifndef PARLANCE_SITE_REPLY_H
#define PARLANCE_SITE_REPLY_H

#include "http/exchange.h"

#define SITE_REFUSALS(X)                                                       \
	X(METHOD, 405, "method_not_allowed", "This path has other methods.")   \
	X(OTHER_PAGE, 403, "forbidden",                                        \
	    "This may be asked by the chat page only.")                        \
	X(MEDIA_TYPE, 415, "unsupported_media_type",                           \
	    "The Content-Type must be application/json.")                      \
	X(BODY, 400, "bad_request", "The body is no JSON of this page.")       \
	X(TOO_BIG, 413, "question_too_long", "The question is too long.")      \
	X(TOO_LONG, 400, "question_too_long", "The question is too long.")     \
	X(CONVERSATION, 404, "conversation_not_found",                         \
	    "There is no such conversation of this visitor.")                  \
	X(MESSAGE, 404, "message_not_found",                                   \
	    "There is no such message of this visitor.")                       \
	X(VISITOR_LIMIT, 429, "visitor_limit",                                 \
	    "This visitor has asked as much as is allowed.")                   \
	X(ADDRESS_LIMIT, 429, "address_limit",                                 \
	    "This network has asked as much as is allowed.")                   \
	X(SITE_LIMIT, 429, "site_limit",                                       \
	    "All visitors have asked as much as is allowed.")                  \
	X(BUSY, 429, "busy", "Too many answers are running.")                  \
	X(BOT, 503, "bot_unavailable", "The bot is switched off.")             \
	X(STORE, 503, "store_unavailable", "The store cannot be used.")        \
	X(INTERNAL, 500, "internal_error", "Something failed here.")

enum site_refusal {
#define X(name, status, code, message) SITE_REFUSED_##name,
	SITE_REFUSALS(X)
#undef X
};

/* Answers with a refusal.  ERR_ANSWERED, ERR_MEMORY or ERR_CLIENT_GONE. */
enum err site_refuse(struct exchange *x, enum site_refusal why);
/* The family's answer to our own failures. */
enum err site_failed(struct exchange *x, enum err why);

#endif
