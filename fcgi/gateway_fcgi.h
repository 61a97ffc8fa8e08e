/* A gateway over one FastCGI connection, by libfcgi. */
#ifndef PARLANCE_GATEWAY_FCGI_H
#define PARLANCE_GATEWAY_FCGI_H

#include <fcgiapp.h>

#include "http/gateway.h"

struct gateway_fcgi {
	struct gateway gateway;
	FCGX_Request request;
	bool drained; /* the body was read to its end, or cannot be */
	bool input_ended; /* the peer has said that this is the end */
	bool gone, wrote;
	struct gateway_rest *rest; /* an answer that is held back */
	bool ended; /* the end of the request was written */
};

/* However long a peer is silent while we read, or takes nothing while we
 * write. */
#define GATEWAY_FCGI_TIMEOUT_S 30

/*
 * Reads the head of a request from an accepted connection, which it takes
 * over.  False: the peer was silent, broke off, or asked for something that
 * is no responder's work; nothing is left to close.
 */
bool gateway_fcgi_open(struct gateway_fcgi *g, int fd);
/* Ends the request and closes the connection. */
void gateway_fcgi_close(struct gateway_fcgi *g);

#endif
