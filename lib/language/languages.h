/*
 * What is known about natural languages: their names, their Snowball
 * stemmer, and the words that carry no subject ("the", "what", "explain").
 * Fixed tables; safe from any thread.
 */
#ifndef PARLANCE_LANGUAGES_H
#define PARLANCE_LANGUAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define LANGUAGES_MAX 32

struct language {
	const char *code;    /* ISO 639-1 */
	const char *name;    /* in English, lower case */
	const char *stemmer; /* Snowball's name, or NULL: none */
	const char *own;     /* its name for itself, lower case */
	/* Function words and question words, folded (wordforms.h), with blanks
	 * between.  In scripts without spaces: strings that may stand
	 * anywhere. */
	const char *stop;
	const char *unknown; /* "I do not know", a whole sentence */
	const char *yes, *no;
	const char *found;   /* what to say before an uncertain find */
};

/* By code ("de", "de-AT"), English name or own name, letters alike; NULL
 * when none or when name is NULL. */
const struct language *language_find(const char *name);
/* From 0 to language_count() - 1, for masks of languages. */
int language_number(const struct language *l);
const struct language *language_at(int number);
int language_count(void);

#endif
