/*
 * From a path to a handler: tables of routes, one family of them for each
 * API.  An API is a family; a further one is a new folder and a row in
 * lib/app/app.c.
 */
#ifndef PARLANCE_ROUTER_H
#define PARLANCE_ROUTER_H

#include "base/err.h"
#include "http/exchange.h"

/*
 * Answers the exchange: writes a response, or leaves x->answer to be driven.
 * Everything the client did wrong is an answer and ERR_NONE; another result
 * is our own failure, which the family turns into its 500 or 503 (if nothing
 * was sent yet) and logs once.
 */
typedef enum err (*handler)(struct exchange *x);

struct route {
	const char *method;  /* "POST" */
	/* "/chat-messages/{}/stop": {} is one non-empty segment without a
	 * slash, {uuid} a hyphenated UUID. Matched against the whole path. */
	const char *pattern;
	handler handle;
	unsigned flags;      /* for the family's guard */
};

struct family {
	const char *name;    /* "botapi", "messagesapi" */
	const struct route *routes;
	size_t n_routes;
	/* Is a path that it has a route for really its own, in this request
	 * and with this configuration?  NULL: always. */
	bool (*wants)(const struct exchange *x);
	/* Before every handler: body, key, rights.  Sets x->caller.
	 * ERR_ANSWERED: it has refused.  A handler may return that, too. */
	enum err (*guard)(struct exchange *x);
	/* 405; allow is "GET, POST" */
	enum err (*method_not_allowed)(struct exchange *x, const char *allow);
	/* Our own failure, in this API's form. Nothing was sent yet. */
	enum err (*failed)(struct exchange *x, enum err why);
	/* Is an unknown path this API's to answer? */
	bool (*owns)(const struct exchange *x);
	/* 404, or whatever this API does with a path it does not know (the
	 * bot API redirects a trailing slash). */
	enum err (*unknown_path)(struct exchange *x);
	/* OPTIONS before anything else (CORS); NULL: an ordinary method.
	 * Asked only for paths of this family; true: answered. */
	bool (*options)(struct exchange *x, enum err *err);
};

/* Does path match pattern?  Fills captures[0..3]. */
bool router_match(const char *pattern, struct span path,
    struct span captures[4]);

/*
 * Finds the first family with a route for the path and serves the exchange.
 * The first family that owns() the path answers an unknown one; the last
 * family answers what nobody owns.
 */
enum err router_serve(const struct family *const *families, size_t n,
    struct exchange *x);

#endif
