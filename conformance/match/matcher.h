/*
 * Matchers: JSON that describes JSON (fixtures/README.md has the table).
 */
#ifndef CHATCONF_MATCHER_H
#define CHATCONF_MATCHER_H

#include <stdbool.h>

#include "jsonval.h"

/* The first place where a reply is not what was expected.  The texts live
 * in the arena of the comparison. */
struct difference {
	const char *where;    /* "status", "body /detail/0/msg" */
	const char *expected; /* "-" line */
	const char *got;      /* "+" line */
};

/*
 * Does value (NULL: absent) match m?  If not, *d says where, as `where`
 * ("body", "event 3") followed by a JSON Pointer.
 */
bool match(struct arena *a, const struct jv *m, const struct jv *value,
    const char *where, struct difference *d);

/* Is m a matcher at all?  Else the faulty part in *at and why; for case
 * files, before anything is sent. */
const char *matcher_fault(struct arena *a, const struct jv *m,
    const struct jv **at);

/* The operator of {"$only": M} and its kin, or NULL for plain values. */
const char *matcher_operator(const struct jv *m, const struct jv **operand);

/* "$text" and the other words, all of them; NULL-terminated. */
extern const char *const matcher_words[];
/* Is m a string that is such a word?  "$$x" is none. */
bool matcher_is_word(const struct jv *m, const char *word);

#endif
