/* White space by the table of Python's unicodedata. */
#include "base/words.h"

#include "base/utf8.h"

bool
words_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) ||
	       c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202F || c == 0x205F || c == 0x3000;
}

int64_t
words_count(struct span text)
{
	struct word_limit all = {.max = 0};
	bool reached;

	(void)word_limit_take(&all, text, &reached);
	return all.seen;
}

struct span
word_limit_take(struct word_limit *w, struct span piece, bool *reached)
{
	size_t at = 0, before;

	*reached = false;
	while (at < piece.len) {
		before = at;
		if (!words_is_space(utf8_next(piece, &at))) {
			if (!w->in_word)
				w->seen++;
			w->in_word = true;
			continue;
		}
		w->in_word = false;
		if (w->max > 0 && w->seen >= w->max) {
			*reached = true;
			piece.len = before;
			return piece;
		}
	}
	return piece;
}
