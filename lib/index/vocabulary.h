/*
 * What an indexing pass remembers: for each written word its indexed forms
 * (stemming every occurrence anew would take most of the time), and for each
 * form in how many segments it was added or removed.
 */
#ifndef PARLANCE_VOCABULARY_H
#define PARLANCE_VOCABULARY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "language/wordforms.h"

#define VOCABULARY_FORMS 4

struct vocabulary_term {
	struct span text;
	int64_t change;   /* of the number of segments that have it */
	int64_t last_row; /* counted once a segment */
};

struct vocabulary_entry {
	struct span written;
	const struct language *language;
	struct vocabulary_term *terms[VOCABULARY_FORMS];
	size_t n;
};

struct vocabulary {
	struct arena arena;
	struct stemmers stemmers;
	/* Hash tables, with the hashes beside so that a lookup touches no
	 * entry but its own. */
	struct vocabulary_slot {
		uint32_t hash;
		struct vocabulary_entry *entry;
	} *entries;
	size_t n_entries, entries_size;
	struct vocabulary_term **terms;
	size_t n_terms, terms_size;
};

/* Empty; its words are on the heap until vocabulary_release().  For one
 * thread at a time. */
void vocabulary_init(struct vocabulary *v);
void vocabulary_release(struct vocabulary *v);

/* The forms of a word; NULL when out of memory. */
const struct vocabulary_entry *vocabulary_look(struct vocabulary *v,
    const struct language *language, const struct word *word);

/* Notes that row has the term: once for all its occurrences there.  The
 * same row may be removed (sign -1) and added again (1) in one pass. */
void vocabulary_count(struct vocabulary_term *term, int64_t row, int sign);

/* The terms whose number changed, sorted by text, in *terms (to free()).
 * ERR_MEMORY. */
enum err vocabulary_changes(struct vocabulary *v,
    struct vocabulary_term ***terms, size_t *n)
    __attribute__((warn_unused_result));
/* Forgets the changes, and everything when it has grown large. */
void vocabulary_settle(struct vocabulary *v);
/* Is it so large that the changes should be written now? */
bool vocabulary_is_large(const struct vocabulary *v);

#endif
