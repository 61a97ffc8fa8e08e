/*
 * JSON as a checker needs it: a tree that is never changed once it is made,
 * lives in an arena, and remembers how it was written.
 *
 * It is not json-c because json-c excuses what a checker has to see: single
 * quotes, NaN, control characters in strings, a second member of the same
 * name, integers beyond 64 bits, lone surrogates.  It is not lib/json's
 * pyjson either: that one has Python's liberties, and a checker that read
 * replies with the decoder of the server it checks would share its faults.
 * And an unchanging tree can be read by several workers at once without
 * locks.
 */
#ifndef CHATCONF_JSONVAL_H
#define CHATCONF_JSONVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

enum jv_kind {
	JV_NULL,
	JV_BOOL,
	JV_NUMBER,
	JV_STRING,
	JV_ARRAY,
	JV_OBJECT
};

struct jv {
	enum jv_kind kind;
	bool truth;              /* of a boolean */
	bool literal;            /* never read as a matcher: see vars.h */
	unsigned line;           /* where it begins in its file, from 1 */
	struct span text;        /* a string's bytes; a number as written */
	size_t count;            /* of an array or object */
	const struct jv **items; /* the values */
	struct span *names;      /* an object's, beside items */
};

struct jv_error {
	const char *msg; /* static text */
	struct span name; /* the member named twice, else empty */
	size_t offset;   /* bytes before the fault */
	unsigned line;   /* from 1 */
};

/*
 * Parses text, all of it: RFC 8259 and UTF-8 to the letter, except that
 * escapes may make lone surrogates.  NULL on a fault, and *error says which.
 * With `unique`, a member named twice is a fault; else the last one counts.
 * The tree does not point into text.
 */
const struct jv *jv_parse(struct arena *a, struct span text, bool unique,
    struct jv_error *error);

const struct jv *jv_null(struct arena *a);
const struct jv *jv_bool(struct arena *a, bool truth);
const struct jv *jv_string(struct arena *a, struct span text);
const struct jv *jv_cstring(struct arena *a, const char *text);
/* text must be a JSON number. */
const struct jv *jv_number(struct arena *a, const char *text);
/* The items are the caller's array in the same arena. */
const struct jv *jv_array(struct arena *a, const struct jv **items,
    size_t count);
const struct jv *jv_object(struct arena *a, struct span *names,
    const struct jv **items, size_t count);

/* A member, or NULL; NULL also when object is NULL or no object. */
const struct jv *jv_get(const struct jv *object, const char *name);
const struct jv *jv_get_span(const struct jv *object, struct span name);
/* The string's text, NUL-terminated; NULL when it is none. */
const char *jv_text(const struct jv *value);

/* "/name", as a part of a JSON Pointer (RFC 6901). */
void jv_pointer_part(struct buf *out, struct span name);
/* What a JSON Pointer finds, or NULL. */
const struct jv *jv_find(const struct jv *root, struct span pointer);
/*
 * A copy of root with the value at pointer set (made when its parent is
 * there) or, with a NULL value, removed.  NULL when the place does not
 * exist.  The parts that stay the same are shared.
 */
const struct jv *jv_with(struct arena *a, const struct jv *root,
    struct span pointer, const struct jv *value);
/* root with member i replaced by value, or removed when value is NULL. */
const struct jv *jv_replace(struct arena *a, const struct jv *root, size_t i,
    const struct jv *value);
/* root with one more item at the end; name for objects only. */
const struct jv *jv_append(struct arena *a, const struct jv *root,
    const char *name, const struct jv *value);

/* The same value: numbers by value, objects in any order. */
bool jv_equal(const struct jv *a, const struct jv *b);
/* Is it a number written without fraction and exponent? */
bool jv_is_int(const struct jv *value);

/* Compact JSON text. */
void jv_write(struct buf *out, const struct jv *value);
/* The same in an arena, cut to about max bytes with "..." at the end. */
char *jv_show(struct arena *a, const struct jv *value, size_t max);

#endif
