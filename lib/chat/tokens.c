/* The count of tokens for models that do not tell. */
#include "chat/tokens.h"

#include "base/utf8.h"

enum script { SPACE, WORD_ASCII, DIGIT, WORD_OTHER, IDEOGRAPH, MARK, PICTURE };

static enum script
script_of(uint32_t c)
{
	if (c <= ' ' || c == 0x7F || c == 0xA0 || c == 0x3000 ||
	    (c >= 0x80 && c < 0xA0) || (c >= 0x2000 && c <= 0x200F) ||
	    (c >= 0x2028 && c <= 0x202F) || c == 0xFEFF)
		return SPACE;
	if (c < 0x80) {
		if (text_is_digit((char)c))
			return DIGIT;
		return text_is_alpha((char)c) ? WORD_ASCII : MARK;
	}
	if (c < 0xC0 || (c >= 0x2010 && c <= 0x2BFF) ||
	    (c >= 0x3001 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF0F))
		return MARK;
	if ((c >= 0x3040 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7FF) ||
	    (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF))
		return IDEOGRAPH;
	if (c >= 0x10000 || c == UTF8_INVALID)
		return PICTURE;
	return WORD_OTHER;
}

/*
 * What byte-pair vocabularies do on average: a word of up to six Latin
 * letters is one token and each further four one more; three digits are
 * one; other alphabets take one for two letters, ideographs and syllables
 * one each, pictures two; a mark is one.
 */
static int64_t
tokens_of_run(enum script script, int64_t n)
{
	switch (script) {
	case SPACE:
		return 0;
	case WORD_ASCII:
		return n <= 6 ? 1 : 1 + (n - 6 + 3) / 4;
	case DIGIT:
		return (n + 2) / 3;
	case WORD_OTHER:
		return (n + 1) / 2;
	case PICTURE:
		return 2 * n;
	case IDEOGRAPH:
	case MARK:
		break;
	}
	return n;
}

int64_t
tokens_count(struct span text)
{
	enum script run = SPACE, script;
	int64_t tokens = 0, n = 0;
	size_t at = 0;

	while (at < text.len) {
		script = script_of(utf8_next(text, &at));
		if (script != run) {
			tokens += tokens_of_run(run, n);
			run = script;
			n = 0;
		}
		n++;
	}
	return tokens + tokens_of_run(run, n);
}
