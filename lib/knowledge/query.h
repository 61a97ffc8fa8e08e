/* A question as the search sees it: its words, and what each is worth. */
#ifndef PARLANCE_QUERY_H
#define PARLANCE_QUERY_H

#include "chat/chat.h"
#include "language/concepts.h"
#include "language/wordforms.h"

#define QUERY_TERMS_MAX 64

struct query_term {
	struct word_forms forms; /* alternatives */
	size_t own_forms;        /* the first are the word's own; the rest
	                          * other words of its concept */
	int concept;             /* -1: none */
	struct span text;        /* as it was written */
	size_t position;         /* in the question, in words */
	int64_t frequency;       /* segments that have it, when searched */
	double factor;           /* 1; less for stop words and for words of
	                          * earlier questions */
	bool stop, pair;
	bool weak;               /* the verb after "may I", "your" site: the
	                          * question is about another word */
	enum answer_kind kind;   /* of its concept */
	bool begins;             /* one character: forms that begin with it */
	bool context;            /* of a system turn: it decides between
	                          * passages that fit alike, no more */
};

struct query {
	struct query_term terms[QUERY_TERMS_MAX];
	size_t n;
	size_t n_own; /* terms of the question itself come first; the rest is
	               * what it refers to, and context */
	size_t words; /* positions used */
	const struct language *spoken; /* the question's, or NULL */
	uint32_t languages; /* of the texts, as a mask */
	int64_t segments; /* of the dataset that was searched; 0: none was */
};

void query_init(struct query *q);
/* Adds the words of a text; languages: a mask, of the documents that are
 * searched (0: none known): words are stemmed by each of them.  The text must
 * outlive the query. */
void query_add(struct query *q, struct stemmers *s, struct span text,
    uint32_t languages, double factor, bool context);

/*
 * Does the question name nothing itself ("and its price?")?  Then the
 * earlier question it refers to, the latest that stands by itself;
 * else an empty span.
 */
struct span query_referred(struct span question,
    const struct chat_message *history, size_t n_history);

/* All it refers to, at most max: the latest follow-up before it first, and
 * last the question that stands by itself.  Returns how many. */
size_t query_refer(struct span question, const struct chat_message *history,
    size_t n_history, struct span *list, size_t max);

/* The language a question is in, as far as its words and the texts' languages
 * (a mask) tell; NULL when they do not. */
const struct language *query_language(struct span question, uint32_t mask);

/* The languages a question may be in, of those in mask. */
uint32_t query_languages(struct span question, uint32_t mask);

#endif
