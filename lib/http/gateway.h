/*
 * What carries one request: the CGI environment with stdin and stdout, or a
 * FastCGI connection.  This is all that the two programs differ in; tests
 * have a third one in memory (gateway_memory.h).  A gateway belongs to one
 * thread.
 */
#ifndef PARLANCE_GATEWAY_H
#define PARLANCE_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct gateway;

/* A whole answer that a gateway holds back, and the connection with it. */
struct gateway_rest {
	/* Sends what was held, or `instead` of it when that has data; ends
	 * the request, closes the connection and frees the rest.  Does not
	 * block.  On any thread. */
	void (*send)(struct gateway_rest *rest, struct span instead);
};

struct gateway_ops {
	/* A CGI meta-variable (RFC 3875), such as "REQUEST_METHOD" or
	 * "HTTP_AUTHORIZATION"; NULL when unset.  Valid until the request
	 * ends. */
	const char *(*param)(struct gateway *g, const char *name);

	/* All of them, "NAME=value", NULL at the end: a name may come more
	 * than once, and param() then gives the first. */
	const char *const *(*params)(struct gateway *g);

	/* Up to len bytes of the request body.  *got is 0 at its end.
	 * ERR_IO: the client broke off.  ERR_TIMEOUT: it stalled. */
	enum err (*read)(struct gateway *g, char *data, size_t len,
	    size_t *got);

	/* Sends all of data on towards the client before it returns.
	 * ERR_CLIENT_GONE: nobody is there any more, or the peer did not
	 * take it within its time-out; every later write says so too. */
	enum err (*write)(struct gateway *g, const char *data, size_t len);

	/* The descriptor and poll(2) events by which a client that leaves
	 * can be noticed while nothing is written; -1 when there is none. */
	int (*client_fd)(struct gateway *g, short *events);

	/* Has the client left, or the server asked this request to end
	 * (SIGTERM under CGI)?  Does not wait. */
	bool (*client_gone)(struct gateway *g);

	/* Keeps data, all that there is to send, for later.  False: it
	 * cannot, write it.  NULL: it never can. */
	bool (*hold)(struct gateway *g, const char *data, size_t len);
	/* What is held; the gateway has nothing more to do with it. */
	struct gateway_rest *(*rest)(struct gateway *g);
};

struct gateway {
	const struct gateway_ops *ops;
	/* A CGI program: SCRIPT_NAME names it, so it is no part of the path.
	 * Under FastCGI the name is whatever the web server made of the
	 * path. */
	bool cgi;
	/* A "non-parsed header" program: it writes the HTTP status line
	 * itself. */
	bool nph;
	/* What is written next is all that is left of the answer: a gateway
	 * may send its own end along. */
	bool last;
};

#endif
