/* Words: what stands between white space, as Python's str.split() sees it. */
#ifndef PARLANCE_WORDS_H
#define PARLANCE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Is it white space to Python's str? */
bool words_is_space(uint32_t code);
int64_t words_count(struct span text);

/* Lets text through, piece by piece, up to a number of words.  Pieces end
 * between code points. */
struct word_limit {
	int64_t max; /* 0: no limit */
	int64_t seen; /* words begun so far */
	bool in_word;
};

/* How much of piece may pass: all of it, or what stands before the white
 * space after the last word.  Then *reached is true, and nothing further
 * may pass. */
struct span word_limit_take(struct word_limit *w, struct span piece,
    bool *reached);

#endif
