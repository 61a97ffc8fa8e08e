/* Stop words, and the language of a text by them and by its script. */
#ifndef PARLANCE_STOPWORDS_H
#define PARLANCE_STOPWORDS_H

#include "language/languages.h"

/* The languages in which this folded word is a stop word, as a mask. */
uint32_t language_stops(struct span folded);

/* Guesses from the script and the stop words; NULL when unsure, as with a
 * few words that several languages share. */
const struct language *language_guess(struct span text);

/* Marks in bytes[0..text.len) what belongs to stop strings of the scripts
 * without spaces; bytes are set to 1 and otherwise left alone. */
void language_mark_stops(struct span text, unsigned char *bytes);

#endif
