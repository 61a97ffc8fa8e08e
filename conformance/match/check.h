/* A reply held against an expectation. */
#ifndef CHATCONF_CHECK_H
#define CHATCONF_CHECK_H

#include "wire.h"
#include "jsonval.h"
#include "matcher.h"
#include "sse.h"

/* What was read out of a reply on the way. */
struct content {
	bool is_stream;           /* text/event-stream */
	struct sse_stream stream; /* then */
	const struct jv *json;    /* a JSON body, else NULL */
};

/*
 * Reads the reply into *content and compares it with expect, an `expect`
 * object whose variables are filled in.  First the transport, then status,
 * media type and headers, then the body: one mistake gives one difference.
 * method is the request's: a reply to HEAD has no body.
 */
bool check_reply(struct arena *a, const struct jv *expect,
    const char *method, const struct reply *reply, struct content *content,
    struct difference *d);

/* The part of it that needs no expectation: was it a sound reply? */
bool check_form(struct arena *a, const char *method,
    const struct reply *reply, struct content *content,
    struct difference *d);

/* The media type without parameters, in lower case; "" when absent. */
const char *check_media_type(struct arena *a, const struct reply *reply);

/* The value for a `capture`; NULL when the reply has none there.  "$join" is
 * what the expectation's `join` put together; "trimmed " before a pointer
 * takes the white space off the ends of a string, "upper " writes its ASCII
 * letters as capitals. */
const struct jv *check_capture(struct arena *a,
    const struct content *content, struct span pointer);
bool check_is_capture(struct span pointer);

/* Is expect an `expect` object?  Else the faulty part and why. */
const char *check_fault(struct arena *a, const struct jv *expect,
    const struct jv **at);

#endif
