/*
 * What visitors of small sites ask about (prices, opening hours, delivery
 * ...), and what kind of answer a question wants.  Fixed tables for each
 * language; safe from any thread.
 */
#ifndef PARLANCE_CONCEPTS_H
#define PARLANCE_CONCEPTS_H

#include "language/phrases.h"

enum answer_kind {
	ANSWER_NONE, /* whatever the texts say */
	ANSWER_PRICE,
	ANSWER_HOURS,    /* the time of the day, when it is open */
	ANSWER_WHEN,     /* a date, a day, a time */
	ANSWER_DATE,     /* of something that happened or comes again */
	ANSWER_DURATION,
	ANSWER_COUNT,
	ANSWER_PHONE,
	ANSWER_EMAIL,
	ANSWER_PLACE,
	ANSWER_PERSON,
	ANSWER_LIST,     /* all that fit */
	ANSWER_NUMBER,   /* of words: says a number, a day */
	ANSWER_HOLIDAY,  /* of words: an exception of the usual days */
	ANSWER_OWN,      /* of words: "we", "our" */
	ANSWER_FREE      /* of words: says that it costs nothing */
};

struct concept {
	struct span words; /* the others of that language, blanks between */
	enum answer_kind kind;
	int number; /* which of the table */
};

/* The concept a folded word belongs to in a language; false when none. */
bool concept_of(struct span folded, const struct language *language,
    struct concept *found);
/* Its words in another language; empty when there are none. */
struct span concept_words(int number, const struct language *language);

/* What a question asks for: by its question words, else by its nouns ("the
 * price of a mug", "opening hours").  language may be NULL. */
enum answer_kind concept_asked(struct span question,
    const struct language *language);

/* Marks in bytes[0..question.len) the words that ask ("how much", "when"),
 * which name nothing; other bytes are left alone. */
void concept_mark_asking(struct span question,
    const struct language *language, unsigned char *bytes);

/* Does a text of this language hold a word of that kind (ANSWER_NUMBER,
 * ANSWER_FREE, ANSWER_HOURS ...)? */
bool concept_in(struct span text, const struct language *language,
    enum answer_kind kind);

#endif
