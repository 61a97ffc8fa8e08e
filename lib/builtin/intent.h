/*
 * What a visitor does: asks, greets, thanks, tells something, wants a person,
 * or asks who answers.  By phrases and word classes of each language
 * (intents.inc), never by a part of a word.
 */
#ifndef PARLANCE_INTENT_H
#define PARLANCE_INTENT_H

#include "language/languages.h"

enum intent {
	INTENT_QUESTION,  /* to be looked up: also requests, bare keywords */
	INTENT_GREETING,
	INTENT_THANKS,
	INTENT_PERSON,    /* wants to speak to somebody */
	INTENT_STATEMENT, /* tells or complains; nothing is asked */
	INTENT_WHO        /* who or what is answering? */
};

struct intent_found {
	enum intent intent;
	/* What is asked, without the greeting before it; of the text. */
	struct span rest;
	/* The language its phrases are of; NULL when none told. */
	const struct language *language;
	bool modal; /* "may I", "do I have to": no question about what was
	             * said earlier */
};

/* language: the text's, or NULL; sure: not only because nothing told it;
 * name: the bot's, which may stand beside a greeting. */
struct intent_found intent_of(struct span text,
    const struct language *language, bool sure, const char *name);

/* What the engine says by itself, in a language (NULL: English). */
struct intent_words {
	const char *hello;   /* a greeting */
	const char *ask;     /* "You can ask about:" */
	const char *welcome; /* to thanks */
};
struct intent_words intent_words(const struct language *language);

#endif
