/* A text as folded words with one blank between, to look for phrases in. */
#ifndef PARLANCE_PHRASES_H
#define PARLANCE_PHRASES_H

#include "language/wordforms.h"

#define PHRASES_WORDS 96
#define PHRASES_TEXT 1500 /* bytes of a text that is looked at */

/* " my mug arrived broken "; scripts without spaces: the characters as they
 * stand, without blanks. */
struct phrases_text {
	char text[PHRASES_TEXT + 8];
	size_t len;
	struct {
		size_t at;  /* of the word in text */
		size_t end; /* in the original */
	} words[PHRASES_WORDS];
	size_t n;
	size_t characters; /* of scripts without spaces */
};

/* False: it has no words, or too many to be looked at. */
bool phrases_fold(struct phrases_text *f, struct span text);
/* The end, in text, of a phrase that stands at `at` between blanks (or
 * anywhere, in scripts without spaces); 0: it does not. */
size_t phrases_match(const struct phrases_text *f, size_t at,
    struct span phrase);
/* The same for the longest of a list with ; between. */
size_t phrases_longest(const struct phrases_text *f, size_t at,
    struct span list);
/* Does one of the list stand anywhere? */
bool phrases_have(const struct phrases_text *f, struct span list);

#endif
