/*
 * Words of any script: where they stand in a text, and the forms under
 * which they are indexed and looked for.
 *
 * Letters, digits and the marks on them make a word.  Scripts that put no
 * spaces between words (Han, kana, Hangul's endings, Thai, Lao, Khmer,
 * Myanmar) give overlapping pairs of characters instead; the last character
 * of such a run stands alone as well, so that every character begins a form.
 */
#ifndef PARLANCE_WORDFORMS_H
#define PARLANCE_WORDFORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "language/languages.h"

#define WORD_BYTES 192 /* of a folded word, and room to fold it */
#define WORD_FORM_BYTES 64
#define WORD_FORMS_MAX 16

struct word_scan {
	struct span text;
	size_t at;
	bool in_run;      /* inside a run of an unspaced script */
};

struct word {
	struct span text; /* as it stands in the text */
	size_t start, end;
	bool pair;        /* two characters of an unspaced script, or the
	                   * last of a run */
	bool last_of_run; /* one character that ends a longer run */
};

void word_scan_init(struct word_scan *w, struct span text);
bool word_scan_next(struct word_scan *w, struct word *out);
/* Does it begin with a letter of an unspaced script? */
bool wordforms_is_unspaced(struct span text);

/* The word in lower case without accents, in out; nothing is stemmed. */
struct span wordforms_fold(const struct word *word, char out[WORD_BYTES]);

/* Snowball's stemmers, made when first needed.  One thread at a time. */
struct stemmers {
	void *made[LANGUAGES_MAX];
};
void stemmers_release(struct stemmers *s);

/* The forms to index and to look for: the stem without accents, and where
 * accents change the stem, the stem of the bare word too (people type
 * "declaracion").  At least one. */
struct word_forms {
	char text[WORD_FORMS_MAX][WORD_FORM_BYTES];
	unsigned char len[WORD_FORMS_MAX];
	size_t n;
};

/* Adds the forms of a word in one language (NULL: unknown, then only words
 * whose script settles it are stemmed) to what forms holds already. */
void wordforms_add(struct stemmers *s, const struct language *language,
    const struct word *word, struct word_forms *forms);

#endif
