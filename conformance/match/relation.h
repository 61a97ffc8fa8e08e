/*
 * What must hold between the values of one reply: sums, products of prices,
 * equal ids, counted positions.  The list `holds` of an expectation.
 */
#ifndef CHATCONF_RELATION_H
#define CHATCONF_RELATION_H

#include "jsonval.h"
#include "matcher.h"
#include "sse.h"

/* Where values come from: a body, or (root NULL) the stream's last payload
 * that has the pointer. */
struct relation_source {
	const struct jv *root;
	const struct sse_stream *stream;
};

/* Do all relations of the list hold? */
bool relation_check(struct arena *a, const struct jv *list,
    const struct relation_source *source, struct difference *d);

/* Is list a list of relations?  Else the faulty part and why. */
const char *relation_fault(struct arena *a, const struct jv *list,
    const struct jv **at);

#endif
