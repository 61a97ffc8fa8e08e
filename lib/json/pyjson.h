/*
 * JSON as Python reads it (contracts/chat.md 4.3 to 4.5): its liberties, its
 * messages, its positions.  The project's one decoder.
 *
 * A decoded text is one array of small values in the arena, in the order of
 * the text: 16 bytes a value, nothing else, so a hostile body of 1 MB costs
 * 8 MB at the most.  Numbers keep what the text said; strings are UTF-8 in
 * which lone surrogates stand as ED A0 80 .. ED BF BF (base/utf8.h), with
 * their length, NUL being legal.  Decoding takes linear time and does not
 * recurse.
 *
 * Values live as long as the arena *and the decoded text*: strings without
 * escapes and numbers point into it.  They never change, so threads may
 * share them.
 *
 * Every function accepts NULL for "not there", and a value of any kind, so
 * that lookups can be chained without a check after each.
 */
#ifndef PARLANCE_PYJSON_H
#define PARLANCE_PYJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "json/pyjson_kind.h"

struct pyjson;

/* Where decoding stopped.  All counts are Unicode code points, never bytes. */
struct pyjson_error {
	const char *msg;     /* static text, such as "Expecting value" */
	size_t pos;          /* code points before the fault, from 0 */
	size_t line, column; /* both from 1; only LF ends a line */
};

/* Beyond one of these decoding stops with ERR_TOO_BIG; 0 means no limit. */
struct pyjson_limits {
	size_t depth;      /* open arrays and objects; 0 and more: 1000 */
	size_t int_digits; /* of an integer, the sign not counted */
	size_t nodes;      /* values and member names */
	size_t bytes;      /* of the text; 0 and more: UINT32_MAX / 2 */
};

/* What Python (and contracts/chat.md 4.5) has: depth 1000, 4300 digits. */
extern const struct pyjson_limits pyjson_limits_python;

/*
 * The text of a request body by its first bytes (4.3): UTF-8, UTF-16 or
 * UTF-32, its mark removed.  UTF-8 is not copied: *text points into body.
 * ERR_SYNTAX: the bytes are not of that encoding.  ERR_MEMORY.
 */
enum err pyjson_text(struct arena *arena, struct span body,
    struct span *text) __attribute__((warn_unused_result));

/*
 * Decodes all of text, which should be UTF-8 as pyjson_text() gives it (in
 * other bytes each invalid one counts as a code point of its own).
 *
 * ERR_NONE     *value is never NULL; JSON null is PYJSON_NULL.
 * ERR_SYNTAX   *value is NULL and *error is filled in.
 * ERR_TOO_BIG  a limit was met before any syntax error.
 * ERR_MEMORY   the arena is full.
 * limits NULL is pyjson_limits_python; error may be NULL.
 */
enum err pyjson_decode(struct arena *arena, struct span text,
    const struct pyjson_limits *limits, const struct pyjson **value,
    struct pyjson_error *error) __attribute__((warn_unused_result));

enum pyjson_kind pyjson_kind(const struct pyjson *v);
/* Neither absent nor null. */
bool pyjson_given(const struct pyjson *v);
bool pyjson_is_string(const struct pyjson *v);
bool pyjson_is_object(const struct pyjson *v);
bool pyjson_is_array(const struct pyjson *v);

/* A string's bytes, data never NULL; SPAN_NONE for every other kind. */
struct span pyjson_string(const struct pyjson *v);
/* A copy with a NUL behind it, in the arena; NULL when v is no string or the
 * arena is full.  A NUL inside cuts it short for whoever reads it as C. */
const char *pyjson_cstring(const struct pyjson *v, struct arena *arena);
/* A number as the text had it: "-0", "1E5", "NaN"; else SPAN_NONE. */
struct span pyjson_number(const struct pyjson *v);
/* An integer that fits; false for every other kind and *out untouched. */
bool pyjson_int64(const struct pyjson *v, int64_t *out);
/* The nearest double of a number (too large: infinity); else NaN. */
double pyjson_double(const struct pyjson *v);
/* true and false; false for every other kind, *out untouched. */
bool pyjson_bool(const struct pyjson *v, bool *out);

/* Items of an array, distinct names of an object; else 0. */
size_t pyjson_count(const struct pyjson *v);
/* The member called name; NULL when there is none or v is no object.  Takes
 * time proportional to the number of members. */
const struct pyjson *pyjson_get(const struct pyjson *v, const char *name);
const struct pyjson *pyjson_get_span(const struct pyjson *v,
    struct span name);
/* An array's item, from 0; NULL when there is none.  For item after item
 * use the iterator. */
const struct pyjson *pyjson_item(const struct pyjson *v, size_t index);

/*
 * Items or members one after the other:
 *
 *	struct pyjson_iter it = pyjson_iter(v);
 *	while (pyjson_next(&it, &name, &value))
 *
 * As in a Python dict, a name given several times comes once, at the place
 * of its first appearance, with its last value.  name may be NULL; it is
 * SPAN_NONE for items.  Nothing comes of a scalar or NULL.
 */
struct pyjson_iter {
	const struct pyjson *at, *end;
	bool members;
};

struct pyjson_iter pyjson_iter(const struct pyjson *v);
bool pyjson_next(struct pyjson_iter *it, struct span *name,
    const struct pyjson **value);

/* A string value of its own, pointing at text; NULL when the arena is
 * full. */
const struct pyjson *pyjson_make_string(struct arena *arena,
    struct span text);

/* Appends it as JSON in the style of jsonout.h: integers digit by digit,
 * floats as Python's repr, NaN and the infinities as null. Depth is bounded
 * by that of the decoder. */
void pyjson_write(struct buf *out, const struct pyjson *v);

#endif
