/* Stop words, and the language of a text by them and by its script. */
#ifndef PARLANCE_STOPWORDS_H
#define PARLANCE_STOPWORDS_H

#include "language/languages.h"

/* The languages in which this folded word is a stop word, as a mask. */
uint32_t language_stops(struct span folded);

/* Guesses from the script and the stop words; NULL when unsure, as with a
 * few words that several languages share. */
const struct language *language_guess(struct span text);

/* The same, where it is likely one of a mask of languages (0: not known):
 * what several languages share is taken for the one of them. */
const struct language *language_guess_among(struct span text, uint32_t mask);

/* Marks in bytes[0..text.len) what belongs to stop strings of the scripts
 * without spaces; bytes are set to 1 and otherwise left alone. */
void language_mark_stops(struct span text, unsigned char *bytes);

#endif
