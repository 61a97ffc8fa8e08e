/* Phrases are compared byte by byte; both sides are folded. */
#include "language/phrases.h"

#include <string.h>

#include "base/utf8.h"

static void
add_word(struct phrases_text *f, struct span word, size_t end)
{
	if (f->len + word.len + 2 > PHRASES_TEXT || f->n == PHRASES_WORDS)
		return;
	f->words[f->n].at = f->len;
	f->words[f->n++].end = end;
	memcpy(f->text + f->len, word.data, word.len);
	f->len += word.len;
}

bool
phrases_fold(struct phrases_text *f, struct span text)
{
	char folded[WORD_BYTES];
	struct word_scan scan;
	struct word word;
	size_t joined = 0;
	struct span bare;

	f->len = f->n = f->characters = 0;
	f->text[f->len++] = ' ';
	if (text.len > PHRASES_TEXT / 2)
		return false;
	word_scan_init(&scan, text);
	while (word_scan_next(&scan, &word)) {
		if (f->n > 0 && !(word.pair && word.start == joined) &&
		    f->len < PHRASES_TEXT)
			f->text[f->len++] = ' ';
		if (word.pair) {
			size_t end = 0;

			(void)utf8_next(word.text, &end);
			joined = word.start + end;
			f->characters++;
			add_word(f, (struct span){word.text.data, end},
			    joined);
			continue;
		}
		bare = wordforms_fold(&word, folded);
		add_word(f, bare, word.end);
	}
	f->text[f->len++] = ' ';
	return f->n > 0 && f->n < PHRASES_WORDS;
}

size_t
phrases_match(const struct phrases_text *f, size_t at, struct span phrase)
{
	if (phrase.len == 0 || phrase.len + at + 1 > f->len ||
	    memcmp(f->text + at, phrase.data, phrase.len) != 0)
		return 0;
	if (!wordforms_is_unspaced(phrase) && (f->text[at - 1] != ' ' ||
	    f->text[at + phrase.len] != ' '))
		return 0;
	return at + phrase.len;
}

size_t
phrases_longest(const struct phrases_text *f, size_t at, struct span list)
{
	size_t best = 0, end;

	while (list.len > 0) {
		end = phrases_match(f, at, span_cut(&list, ';'));
		best = end > best ? end : best;
	}
	return best;
}

bool
phrases_have(const struct phrases_text *f, struct span list)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (phrases_longest(f, f->words[i].at, list) > 0)
			return true;
	return false;
}
