/*
 * Puts a model's pieces of text together so that every piece handed on is
 * valid UTF-8: a character that was cut between two pieces (its bytes, or
 * the two halves of a surrogate pair) waits for the rest of it.  What can
 * never become a character is U+FFFD.
 */
#ifndef PARLANCE_TEXT_JOIN_H
#define PARLANCE_TEXT_JOIN_H

#include "base/buf.h"
#include "base/text.h"

struct text_join {
	char held[8]; /* the beginning of a character */
	size_t n;
};

/* Appends to out what is complete of held and piece. */
void text_join_add(struct text_join *j, struct span piece, struct buf *out);
/* No piece will follow: what is held becomes U+FFFD. */
void text_join_end(struct text_join *j, struct buf *out);

#endif
