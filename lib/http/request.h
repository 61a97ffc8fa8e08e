/*
 * A request as the handlers see it: method, path without the base, headers,
 * body with its limits.  It is read from a gateway once and lives in an
 * arena; nothing in it points into the gateway's own memory.
 */
#ifndef PARLANCE_REQUEST_H
#define PARLANCE_REQUEST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"
#include "http/gateway.h"

/* With its NUL. */
#define REQUEST_ID 33

struct request {
	struct arena *arena;   /* everything of this request */
	struct gateway *gateway;
	char id[REQUEST_ID]; /* x-request-id: 32 lower-case hex digits */
	const char *method;    /* "GET"; never NULL */
	struct span path;      /* percent-decoded, base path removed, begins
	                        * with '/'; NUL-terminated */
	bool path_refused;     /* it had a NUL or a ".." segment: no route */
	struct span mount;     /* the base path that was removed, or empty */
	struct span query;     /* raw, without '?'; empty when none */
	const char *scheme;    /* "http" or "https" */
	const char *host;      /* Host header, or server name and port */
	const char *authorization; /* header value, or NULL (4.2 of the
	                            * deployment facts names its sources) */
	const char *content_type; /* NULL when absent or empty */
	const char *remote_addr; /* the peer's; "" when unknown */
	const char *client_addr; /* the same, but for a trusted proxy's peer
	                          * (forwarded.h) */
	bool proxied;            /* a trusted proxy sent it */

	/* The body: filled by request_read_body(). */
	struct span body;
};

/*
 * Reads everything but the body.  base_path is what the deployment is
 * mounted under ("" or "/app"); it is cut from the front of REQUEST_URI when
 * it stands there.  ERR_MEMORY, or ERR_INPUT when the gateway gives no
 * method or no path at all.
 */
enum err request_init(struct request *r, struct arena *arena,
    struct gateway *gateway, const char *base_path)
    __attribute__((warn_unused_result));

/* A header of the request by its name, "Content-Type"; NULL when absent. */
const char *request_header(const struct request *r, const char *name);

enum body_state {
	BODY_READ,     /* r->body is complete; it may be empty */
	BODY_TOO_BIG,  /* more than max bytes: answer 413 */
	BODY_CUT,      /* shorter than announced, or the client broke off:
	                * answer 400 */
	BODY_BAD_LENGTH, /* CONTENT_LENGTH is not a number: answer 400 */
	BODY_STALLED,  /* took too long: answer 408 */
	BODY_FAILED    /* out of memory: answer 500 */
};

/* Reads the body, at most max bytes; with no CONTENT_LENGTH and a transfer
 * coding up to its end.  Call it once. */
enum body_state request_read_body(struct request *r, size_t max);

/* The decoded value of the first query parameter `name`; false when absent.
 * '+' is a blank; *value is NUL-terminated in the arena, and is left as
 * SPAN_NONE when out of memory. */
bool request_query(const struct request *r, const char *name,
    struct span *value);
/* The same for a parameter that may come several times: the next one in
 * *rest, which begins as r->query. */
bool request_query_next(const struct request *r, struct span *rest,
    const char *name, struct span *value);

#endif
