/*
 * A text is made into its folded words, with one blank between (scripts
 * without spaces: characters as they stand); phrases are looked for in it
 * between blanks.  Each language's lists say what a greeting is, what makes a
 * question, and so on; what is no question and no request, but a whole
 * sentence, or speaks of oneself or of trouble, is a statement.
 */
#include "builtin/intent.h"

#include <string.h>

#include "language/phrases.h"

#define SENTENCE_WORDS 4

struct phrases {
	const char *code, *hello, *ask, *welcome;
	const char *greetings, *thanks, *person, *trouble, *question,
	    *request, *mine, *modal, *who, *beside;
};

#define X(...) {__VA_ARGS__},
static const struct phrases languages[] = {
#include "builtin/intents.inc"
};
#undef X
#define N_LANGUAGES (sizeof(languages) / sizeof(languages[0]))

static size_t
next_word(const struct phrases_text *f, size_t end)
{
	while (end < f->len && f->text[end] == ' ')
		end++;
	return end;
}

/* Where the words after the greeting, or the thanks, begin; *kind says
 * which of them was seen. */
static size_t
skip_courtesy(const struct phrases_text *f, const struct phrases *p,
    const char *name, enum intent *kind)
{
	size_t at = 1, end;
	struct phrases_text own;

	*kind = INTENT_QUESTION;
	if (!phrases_fold(&own, span_of(name)))
		own.len = 0;
	while (at < f->len) {
		if ((end = phrases_longest(f, at, span_of(p->thanks))) > 0) {
			*kind = INTENT_THANKS;
		} else if ((end = phrases_longest(f, at,
			span_of(p->greetings))) > 0) {
			if (*kind == INTENT_QUESTION)
				*kind = INTENT_GREETING;
		} else if (*kind != INTENT_QUESTION) {
			end = phrases_longest(f, at, span_of(p->beside));
			if (end == 0 && own.len > 2)
				end = phrases_match(f, at, (struct span){
				    own.text + 1, own.len - 2});
		}
		if (end == 0)
			break;
		at = next_word(f, end);
	}
	return at;
}

static bool
ends_asking(struct span text)
{
	text = span_trim(text);
	return memchr(text.data, '?', text.len) != NULL ||
	    memmem(text.data, text.len, "？", 3) != NULL ||
	    memmem(text.data, text.len, "؟", 2) != NULL ||
	    memmem(text.data, text.len, "¿", 2) != NULL;
}

static bool
ends_telling(struct span text)
{
	text = span_trim(text);
	return span_ends(text, ".") || span_ends(text, "!") ||
	    span_ends(text, "。") || span_ends(text, "！") ||
	    span_ends(text, "।");
}

/* Begins with a phrase of the list? */
static bool
begins(const struct phrases_text *f, const char *list)
{
	return phrases_longest(f, 1, span_of(list)) > 0;
}

/* In languages that ask with the first word a "what" further on may belong
 * to a statement; in scripts without spaces the word may stand anywhere. */
static bool
asks(const struct phrases_text *f, const struct phrases *p)
{
	size_t i, first = 3;

	if (strcmp(p->code, "tr") == 0 || strcmp(p->code, "hi") == 0 ||
	    strcmp(p->code, "vi") == 0 || f->characters > 0)
		return phrases_have(f, span_of(p->question));
	for (i = 0; i < f->n && i < first; i++)
		if (phrases_longest(f, f->words[i].at,
			span_of(p->question)) > 0)
			return true;
	return false;
}

/* The whole text is the phrase, but for courtesies. */
static bool
is_whole(const struct phrases_text *f, const struct phrases *p,
    const char *list)
{
	size_t end = phrases_longest(f, 1, span_of(list)), more;

	while (end > 0) {
		end = next_word(f, end);
		if (end >= f->len)
			return true;
		more = phrases_longest(f, end, span_of(p->beside));
		if (more == 0)
			more = phrases_longest(f, end, span_of(p->request));
		end = more;
	}
	return false;
}

static enum intent
classify(const struct phrases_text *f, const struct phrases *p,
    struct span text)
{
	bool asking;

	if (is_whole(f, p, p->who))
		return INTENT_WHO;
	if (phrases_have(f, span_of(p->person)))
		return INTENT_PERSON;
	asking = ends_asking(text) || begins(f, p->question);
	/* "My mug is broken": the verb that asks stands first, or a mark. */
	if (!asking && f->characters == 0 && !begins(f, p->request) &&
	    (phrases_have(f, span_of(p->trouble)) || begins(f, p->mine)) &&
	    !phrases_have(f, span_of(p->request)) &&
	    f->n + f->characters >= 3)
		return INTENT_STATEMENT;
	if (asking || asks(f, p))
		return INTENT_QUESTION;
	if (begins(f, p->request) ||
	    (phrases_have(f, span_of(p->request)) &&
		!phrases_have(f, span_of(p->trouble))))
		return INTENT_QUESTION;
	if (phrases_have(f, span_of(p->trouble)) && f->n + f->characters >= 3)
		return INTENT_STATEMENT;
	if (phrases_have(f, span_of(p->mine)) && f->n >= 2)
		return INTENT_STATEMENT;
	if (ends_telling(text) && f->n >= SENTENCE_WORDS)
		return INTENT_STATEMENT;
	return INTENT_QUESTION;
}

static const struct phrases *
phrases_of(const struct language *l)
{
	size_t i;

	for (i = 0; l != NULL && i < N_LANGUAGES; i++)
		if (strcmp(languages[i].code, l->code) == 0)
			return &languages[i];
	return NULL;
}

static bool
try_language(struct span text, const struct phrases *p, const char *name,
    bool certain, struct intent_found *found)
{
	struct phrases_text whole, rest;
	enum intent courtesy;
	size_t at, i, start = 0;

	if (!phrases_fold(&whole, text))
		return false;
	at = skip_courtesy(&whole, p, name, &courtesy);
	if (at + 1 >= whole.len && courtesy != INTENT_QUESTION) {
		found->intent = courtesy;
		found->language = language_find(p->code);
		return true;
	}
	if (courtesy != INTENT_QUESTION)
		for (i = 0; i < whole.n && whole.words[i].at < at; i++)
			start = whole.words[i].end;
	if (!certain && courtesy == INTENT_QUESTION &&
	    !is_whole(&whole, p, p->who) &&
	    !phrases_have(&whole, span_of(p->person)))
		return false;
	text.data += start;
	text.len -= start;
	if (!phrases_fold(&rest, text))
		return false;
	while (text.len > 0 && (text_is_blank(text.data[0]) ||
	    strchr(",.!;:-", text.data[0]) != NULL)) {
		text.data++;
		text.len--;
	}
	found->rest = text;
	found->language = language_find(p->code);
	found->modal = phrases_have(&rest, span_of(p->modal));
	found->intent = classify(&rest, p, text);
	return true;
}

struct intent_found
intent_of(struct span text, const struct language *language, bool sure,
    const char *name)
{
	struct intent_found found = {INTENT_QUESTION, text, NULL, false};
	const struct phrases *own = phrases_of(language);
	struct intent_found mine;
	size_t i;

	if (text.len > PHRASES_TEXT / 2)
		return found;
	if (own != NULL && try_language(text, own, name, true, &found) &&
	    (sure || found.intent != INTENT_QUESTION))
		return found;
	mine = found;
	/* "Hola" tells its language only by being a greeting. */
	for (i = 0; i < N_LANGUAGES; i++)
		if (&languages[i] != own &&
		    try_language(text, &languages[i], name, false, &found) &&
		    (own == NULL || found.intent != INTENT_QUESTION))
			return found;
	return mine;
}

struct intent_words
intent_words(const struct language *language)
{
	const struct phrases *p = phrases_of(language);

	if (p == NULL)
		p = &languages[0];
	return (struct intent_words){p->hello, p->ask, p->welcome};
}
