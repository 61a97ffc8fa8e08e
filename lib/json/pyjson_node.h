/* How a decoded value is kept; for pyjson.c and pyjson_value.c alone. */
#ifndef PARLANCE_PYJSON_NODE_H
#define PARLANCE_PYJSON_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/pyjson_kind.h"

#define PYJSON_DEPTH_MAX 1000U

/*
 * A value is followed by what is in it: items one after the other, members
 * as name and value.  Where the next sibling begins is told by node_span().
 *
 * A name that is given again is `dead` at its later places, and the value at
 * its first place becomes MOVED and points to the last one.
 */
#define NODE_MOVED 15U

struct pyjson {
	uint8_t tag;  /* an enum pyjson_kind, or NODE_MOVED */
	bool dead;    /* of a name */
	uint32_t len; /* bytes of text; items; distinct names; MOVED: nodes
	               * that stand here */
	union {
		const char *text;
		uint64_t nodes; /* of an array or object, with itself */
		const struct pyjson *moved;
	} u;
};

/* The nodes from v to its next sibling. */
static inline size_t
node_span(const struct pyjson *v)
{
	if (v->tag == PYJSON_ARRAY || v->tag == PYJSON_OBJECT)
		return (size_t)v->u.nodes;
	return v->tag == NODE_MOVED ? v->len : 1;
}

/* The value that counts. */
static inline const struct pyjson *
node_value(const struct pyjson *v)
{
	return v->tag == NODE_MOVED ? v->u.moved : v;
}

#endif
