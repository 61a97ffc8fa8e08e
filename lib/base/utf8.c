/* UTF-8 by the table of Unicode 3.9 D92, with surrogates let through. */
#include "base/utf8.h"

#include <assert.h>

static bool
continues(struct span s, size_t at)
{
	return at < s.len && ((unsigned char)s.data[at] & 0xC0) == 0x80;
}

uint32_t
utf8_next(struct span s, size_t *at)
{
	size_t i = *at, n, k;
	uint32_t code, min;
	unsigned char c;

	assert(i < s.len);
	c = (unsigned char)s.data[i];
	*at = i + 1;
	if (c < 0x80)
		return c;
	if (c >= 0xC2 && c <= 0xDF) {
		n = 1;
		code = c & 0x1FU;
		min = 0x80;
	} else if (c >= 0xE0 && c <= 0xEF) {
		n = 2;
		code = c & 0x0FU;
		min = 0x800;
	} else if (c >= 0xF0 && c <= 0xF4) {
		n = 3;
		code = c & 0x07U;
		min = 0x10000;
	} else {
		return UTF8_INVALID;
	}
	for (k = 1; k <= n; k++) {
		if (!continues(s, i + k))
			return UTF8_INVALID;
		code = code << 6 | ((unsigned char)s.data[i + k] & 0x3FU);
	}
	if (code < min || code > 0x10FFFF)
		return UTF8_INVALID;
	*at = i + n + 1;
	return code;
}

size_t
utf8_put(char out[4], uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

size_t
utf8_length(struct span s)
{
	size_t at = 0, n = 0;

	while (at < s.len) {
		(void)utf8_next(s, &at);
		n++;
	}
	return n;
}

bool
utf8_valid(struct span s, bool surrogates)
{
	size_t at = 0;

	while (at < s.len) {
		uint32_t code = utf8_next(s, &at);

		if (code == UTF8_INVALID)
			return false;
		if (!surrogates && code >= 0xD800 && code <= 0xDFFF)
			return false;
	}
	return true;
}

struct span
utf8_prefix(struct span s, size_t n)
{
	size_t at = 0;

	while (at < s.len && n > 0) {
		(void)utf8_next(s, &at);
		n--;
	}
	s.len = at;
	return s;
}
