/*
 * Streams of server-sent events: read strictly, then held against the `sse`
 * part of an expectation (fixtures/README.md has the rules).
 */
#ifndef CHATCONF_SSE_H
#define CHATCONF_SSE_H

#include "wire.h"
#include "jsonval.h"
#include "matcher.h"

struct stream_event {
	struct span name;       /* the event: line; empty without one */
	struct span data;       /* data: lines joined; NULL data without */
	const struct jv *value; /* data as JSON; NULL when it is none */
	const char *fault;      /* why it is none */
	int64_t us;             /* when its last byte came; -1 unknown */
};

struct sse_stream {
	struct stream_event *events;
	size_t count;
	const char *fault; /* the framing is broken: what, where */
	/* What a `join` put together, once sse_check has; else NULL. */
	const struct jv *joined;
};

/* Splits the body into events.  Everything is in the arena. */
void sse_read(struct arena *a, const struct reply *reply,
    struct sse_stream *stream);

/* Does the stream satisfy rules, an `sse` object? */
bool sse_check(struct arena *a, const struct jv *rules,
    struct sse_stream *stream, struct difference *d);

/* The value at pointer in the last payload that has it, or NULL. */
const struct jv *sse_last(const struct sse_stream *stream,
    struct span pointer);

/* An event's name by the rules: the pointer in its payload, else event:. */
struct span sse_name(const struct jv *rules, const struct stream_event *event);

/* Is rules an `sse` object?  Else the faulty part and why. */
const char *sse_fault(struct arena *a, const struct jv *rules,
    const struct jv **at);

enum sse_live { SSE_LIVE_UNKNOWN, SSE_LIVE_YES, SSE_LIVE_NO };

/* Did the pieces come while they were made?  *why is a sentence. */
enum sse_live sse_live(struct arena *a, const struct sse_stream *stream,
    const char **why);

#endif
