/*
 * Each row of the table is one text with a line for each language; a lookup
 * reads the line of the one language it is about.  A word belongs to a
 * concept when it is one of its words but for an ending of two letters.
 */
#include "language/concepts.h"

#include <stdio.h>
#include <string.h>

#define ENDING 2
#define STEM_MIN 4
#define TYPO_MIN 7

struct row {
	const char *name;
	enum answer_kind kind;
	const char *lines;
};

#define CONCEPT(name, kind, lines) {name, ANSWER_##kind, lines},
#define ASKS(kind, lines)
static const struct row concepts[] = {
#include "language/concepts.inc"
};
#undef CONCEPT
#undef ASKS
#define CONCEPT(name, kind, lines)
#define ASKS(kind, lines) {"", ANSWER_##kind, lines},
static const struct row asking[] = {
#include "language/concepts.inc"
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* The row's line of a language. */
static struct span
line_of(const struct row *row, const struct language *language)
{
	struct span rest = span_of(row->lines), line;

	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		if (line.len > 3 && line.data[2] == ':' &&
		    memcmp(line.data, language->code, 2) == 0)
			return (struct span){line.data + 3, line.len - 3};
	}
	return SPAN_NONE;
}

/* "kosten" and "kostet", "price" and "prices". */
static bool
is_form_of(struct span a, struct span b)
{
	size_t common = 0, min = a.len < b.len ? a.len : b.len;

	if (a.len == b.len && memcmp(a.data, b.data, a.len) == 0)
		return true;
	/* One letter is mistyped. */
	if (a.len >= TYPO_MIN && b.len >= TYPO_MIN && a.len < 60 &&
	    b.len < 60 && a.len <= b.len + 1 && b.len <= a.len + 1 &&
	    a.data[0] == b.data[0]) {
		char x[64], y[64];

		memcpy(x, a.data, a.len);
		memcpy(y, b.data, b.len);
		x[a.len] = y[b.len] = '\0';
		if (text_distance(x, y) <= 1)
			return true;
	}
	while (common < min && a.data[common] == b.data[common])
		common++;
	return common >= STEM_MIN && a.len <= common + ENDING &&
	    b.len <= common + ENDING && (common == a.len ||
		common == b.len || common >= 6);
}

static bool
line_has(struct span line, struct span folded)
{
	while (line.len > 0)
		if (is_form_of(span_cut(&line, ' '), folded))
			return true;
	return false;
}

bool
concept_of(struct span folded, const struct language *language,
    struct concept *found)
{
	struct span line;
	size_t i;

	if (language == NULL || folded.len < 2)
		return false;
	for (i = 0; i < COUNT(concepts); i++) {
		if (concepts[i].kind == ANSWER_NUMBER ||
		    concepts[i].kind == ANSWER_OWN ||
		    concepts[i].kind == ANSWER_FREE)
			continue;
		line = line_of(&concepts[i], language);
		if (!line_has(line, folded))
			continue;
		*found = (struct concept){line, concepts[i].kind, (int)i};
		return true;
	}
	return false;
}

struct span
concept_words(int number, const struct language *language)
{
	return language == NULL ? SPAN_NONE
				: line_of(&concepts[number], language);
}

/* Of scripts without spaces the words may stand anywhere. */
static bool
text_has(const struct phrases_text *f, struct span line)
{
	char folded[WORD_BYTES];
	struct span word;
	size_t i, len;

	while (line.len > 0) {
		word = span_cut(&line, ' ');
		if (wordforms_is_unspaced(word)) {
			if (memmem(f->text, f->len, word.data, word.len) !=
			    NULL)
				return true;
			continue;
		}
		for (i = 0; i < f->n; i++) {
			const char *at = f->text + f->words[i].at;

			len = (size_t)((const char *)memchr(at, ' ',
				f->len - f->words[i].at) - at);
			if (len > sizeof(folded))
				continue;
			if (is_form_of(word, (struct span){at, len}))
				return true;
		}
	}
	return false;
}

enum answer_kind
concept_asked(struct span question, const struct language *language)
{
	struct phrases_text f;
	enum answer_kind kind = ANSWER_NONE;
	size_t i, k, end, best = 0;

	if (language == NULL || !phrases_fold(&f, question))
		return ANSWER_NONE;
	/* The longest phrase: "how long" before "how". */
	for (i = 0; i < COUNT(asking); i++) {
		struct span line = line_of(&asking[i], language);

		for (k = 0; k < f.n; k++) {
			end = phrases_longest(&f, f.words[k].at, line);
			if (end <= f.words[k].at + best)
				continue;
			best = end - f.words[k].at;
			kind = asking[i].kind;
		}
	}
	if (kind == ANSWER_WHEN)
		for (i = 0; i < COUNT(concepts); i++)
			if (concepts[i].kind == ANSWER_HOURS && text_has(&f,
				line_of(&concepts[i], language)))
				return ANSWER_HOURS;
	if (kind != ANSWER_NONE && kind != ANSWER_COUNT &&
	    kind != ANSWER_LIST)
		return kind;
	for (i = 0; i < COUNT(concepts); i++) {
		enum answer_kind of = concepts[i].kind;

		if (of != ANSWER_PRICE && of != ANSWER_HOURS &&
		    of != ANSWER_PHONE && of != ANSWER_EMAIL &&
		    (of != ANSWER_DURATION || kind != ANSWER_COUNT) &&
		    (of != ANSWER_PERSON || kind != ANSWER_NONE))
			continue;
		if (of == ANSWER_HOURS && kind == ANSWER_LIST)
			kind = ANSWER_NONE;
		if (text_has(&f, line_of(&concepts[i], language)))
			return of;
	}
	return kind;
}

void
concept_mark_asking(struct span question, const struct language *language,
    unsigned char *bytes)
{
	struct phrases_text f;
	size_t i, k, end, best, from;

	if (language == NULL || !phrases_fold(&f, question))
		return;
	for (i = 0; i < f.n; i++) {
		best = 0;
		for (k = 0; k < COUNT(asking); k++) {
			end = phrases_longest(&f, f.words[i].at,
			    line_of(&asking[k], language));
			best = end > best ? end : best;
		}
		from = i > 0 ? f.words[i - 1].end : 0;
		for (k = i; k < f.n && f.words[k].at < best; k++)
			memset(bytes + from, 1, f.words[k].end - from);
	}
}

bool
concept_in(struct span text, const struct language *language,
    enum answer_kind kind)
{
	struct phrases_text f;
	size_t i;

	if (language == NULL || !phrases_fold(&f, text))
		return false;
	for (i = 0; i < COUNT(concepts); i++)
		if (concepts[i].kind == kind &&
		    text_has(&f, line_of(&concepts[i], language)))
			return true;
	return false;
}
