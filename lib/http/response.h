/*
 * The answer to one request: status, headers, then a whole body or a stream.
 * Header names and values with CR, LF or NUL are refused, so that no client
 * or upstream text can make a header.
 */
#ifndef PARLANCE_RESPONSE_H
#define PARLANCE_RESPONSE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"
#include "http/gateway.h"

struct response {
	struct gateway *gateway;
	struct buf head;      /* header lines, each ending in CRLF */
	size_t id_bytes;      /* of head: the x-request-id line */
	int status;           /* 0 until response_status() */
	bool sent;            /* the head is on its way: nothing can change */
	bool stream;          /* response_begin_stream() was called */
	bool no_body;         /* HEAD: the body is not written */
	bool gone;            /* a write said ERR_CLIENT_GONE */
	size_t body_bytes;    /* written so far */
	bool held;            /* the gateway keeps all of it for now */
	enum err (*wait)(void *arg); /* before anything more is sent */
	void *wait_arg;
};

/* Starts an answer; sends nothing.  request_id goes into x-request-id. */
void response_init(struct response *r, struct gateway *g,
    const char *request_id, bool head_request);
void response_release(struct response *r);

/* Forgets status and headers (but not x-request-id), for an error that
 * replaces a half-made answer. Only before anything was sent. */
void response_restart(struct response *r);

/*
 * Nothing more is sent before wait(arg), called once, has said ERR_NONE; its
 * failure is that of the next send or write.  A gateway that can hold a whole
 * answer back does so instead, and `held` is set: then whoever serves the
 * exchange must wait, and let gateway_rest go (http/gateway.h).
 */
void response_not_before(struct response *r, enum err (*wait)(void *arg),
    void *arg);

void response_status(struct response *r, int status);
/* The standard reason phrase, "Unprocessable Entity"; never "". */
const char *response_phrase(int status);

/* ERR_INPUT and nothing added when name or value break the line. */
enum err response_header(struct response *r, const char *name,
    struct span value);

/* Sends status, headers, Content-Length and the whole body. Once. */
enum err response_send(struct response *r, const char *content_type,
    struct span body);
/* As response_send of the buffer; a buffer with an error is ERR_MEMORY or
 * ERR_TOO_BIG and sends nothing, so the caller can still answer 500. */
enum err response_send_json(struct response *r, int status,
    const struct buf *body);

/* Sends the head of an answer of so many bytes, which response_write()
 * brings piece by piece: for bodies too large to hold. */
enum err response_begin(struct response *r, const char *content_type,
    size_t length);

/* Sends the head of a stream: no length, no caching, no proxy buffering. */
enum err response_begin_stream(struct response *r, const char *content_type);
/* Sends bytes of a stream in one write and flushes them. */
enum err response_write(struct response *r, const char *data, size_t len);

#endif
