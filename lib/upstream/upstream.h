/*
 * HTTP calls to model servers, over libcurl's multi interface: a call is fed
 * readiness and keeps what arrived until it is taken; nothing here waits.
 *
 * libcurl is had (curl_library.h) when the first call is made; its headers
 * give types and numbers only.
 *
 * A struct upstream holds a cache of open connections.  Up to 32 workers
 * share one, under its lock: libcurl's tables are 40 KB, more than all the
 * rest of a stream, and nobody ever holds the lock while it waits or writes
 * to a client.  A call belongs to the worker that started it.
 */
#ifndef PARLANCE_UPSTREAM_H
#define PARLANCE_UPSTREAM_H

#include "base/err.h"
#include "base/text.h"
#include "http/answer.h"

struct engine_config;
struct upstream;
struct upstream_call;

/* For a worker, until it leaves.  ERR_UPSTREAM: libcurl cannot be loaded
 * (logged).  ERR_MEMORY. */
enum err upstream_join(struct upstream **u)
    __attribute__((warn_unused_result));
/* The worker's calls have ended.  The last one to leave closes the
 * connections.  NULL is fine. */
void upstream_leave(struct upstream *u);

struct upstream_post {
	const char *url;
	const char *authorization; /* the key's header, or NULL */
	const char *idempotency;   /* "Idempotency-Key: ..." or NULL */
	struct span body;          /* JSON; must outlive the call */
	bool get;                  /* a GET instead; the head of its reply
	                            * stands before its body */
	/* proxy, CA file, verification, time-out of connecting */
	const struct engine_config *engine;
};

/* ERR_MEMORY, ERR_IO without a descriptor to be had, or ERR_CONFIG when
 * libcurl refuses an option. */
enum err upstream_start(struct upstream *u, const struct upstream_post *post,
    struct upstream_call **call) __attribute__((warn_unused_result));
/* Breaks the call off, if it still runs, and frees it: its connection is
 * closed before this returns. NULL is fine. */
void upstream_end(struct upstream_call *call);

/* Moves bytes, by the call's own worker.  ready: what its poll found. */
void upstream_step(struct upstream_call *call, int64_t now_ms,
    const struct interests *ready);
void upstream_interests(const struct upstream_call *call,
    struct interests *in);

enum upstream_state {
	UPSTREAM_RUNNING,
	UPSTREAM_COMPLETE,    /* the reply ended as its framing says */
	UPSTREAM_UNREACHABLE, /* no connection: nothing was sent */
	UPSTREAM_UNTRUSTED,   /* its certificate is not trusted */
	UPSTREAM_CUT,         /* broke after the request went out */
	UPSTREAM_FAILED       /* ours: memory */
};

enum upstream_state upstream_state(const struct upstream_call *call);
/* HTTP status; 0 before the reply's head is complete. */
int upstream_status(const struct upstream_call *call);
/* Its media type with parameters, "" when absent; valid until the end. */
const char *upstream_content_type(const struct upstream_call *call);
/* Where a redirect would lead, "" when it is none; valid until the end. */
const char *upstream_redirect(const struct upstream_call *call);
/* Retry-After in seconds; 0 when not told. */
int64_t upstream_retry_after_s(const struct upstream_call *call);
/* Why it failed, for the log only: it may name addresses. */
const char *upstream_reason(const struct upstream_call *call);

/* Body bytes that arrived and were not taken; valid until the next call of
 * this function with nothing left of them. */
struct span upstream_data(struct upstream_call *call);
void upstream_take(struct upstream_call *call, size_t n);
/* Body bytes received so far. */
int64_t upstream_received(const struct upstream_call *call);

#endif
