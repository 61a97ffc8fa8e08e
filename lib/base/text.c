/* ASCII text helpers; see the header. */
#include "base/text.h"

#include <assert.h>
#include <string.h>

struct span
span_of(const char *text)
{
	return (struct span){text, text == NULL ? 0 : strlen(text)};
}

bool
span_equal(struct span a, struct span b)
{
	assert(a.data != NULL || a.len == 0);
	assert(b.data != NULL || b.len == 0);
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
span_is(struct span s, const char *text)
{
	return span_equal(s, span_of(text));
}

bool
span_is_nocase(struct span s, const char *text)
{
	size_t i;

	if (s.len != strlen(text))
		return false;
	for (i = 0; i < s.len; i++)
		if (text_lower(s.data[i]) != text_lower(text[i]))
			return false;
	return true;
}

bool
span_starts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && span_equal((struct span){s.data, n},
	    (struct span){prefix, n});
}

bool
span_ends(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && (n == 0 ||
	    memcmp(s.data + s.len - n, suffix, n) == 0);
}

struct span
span_trim(struct span s)
{
	while (s.len > 0 && strchr(" \t\r\n", s.data[0]) != NULL &&
	    s.data[0] != '\0') {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && s.data[s.len - 1] != '\0' &&
	    strchr(" \t\r\n", s.data[s.len - 1]) != NULL)
		s.len--;
	return s;
}

struct span
span_cut(struct span *rest, char at)
{
	struct span head = *rest;
	const char *p = NULL;

	if (rest->len > 0)
		p = memchr(rest->data, at, rest->len);
	if (p == NULL) {
		*rest = SPAN_NONE;
		return head;
	}
	head.len = (size_t)(p - head.data);
	rest->data = p + 1;
	rest->len -= head.len + 1;
	return head;
}

bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
text_is_alpha(char c)
{
	c = text_lower(c);
	return c >= 'a' && c <= 'z';
}

bool
text_is_alnum(char c)
{
	return text_is_alpha(c) || text_is_digit(c);
}

bool
text_is_hex(char c)
{
	return text_hex_value(c) >= 0;
}

bool
text_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

char
text_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

int
text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

bool
text_to_int64(struct span s, int64_t min, int64_t max, int64_t *value)
{
	bool negative = s.len > 0 && s.data[0] == '-';
	size_t i = negative ? 1 : 0;
	int64_t n = 0;

	assert(min <= max && value != NULL);
	if (i == s.len)
		return false;
	for (; i < s.len; i++) {
		if (!text_is_digit(s.data[i]))
			return false;
		/* Counted downwards, because INT64_MIN has no positive. */
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_sub_overflow(n, s.data[i] - '0', &n))
			return false;
	}
	if (!negative) {
		if (n == INT64_MIN)
			return false;
		n = -n;
	}
	if (n < min || n > max)
		return false;
	*value = n;
	return true;
}

bool
text_equal_constant_time(struct span a, struct span b)
{
	unsigned char differs = 0;
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		differs |= (unsigned char)(a.data[i] ^ b.data[i]);
	return differs == 0;
}

size_t
text_distance(const char *a, const char *b)
{
	size_t row[65], na = strlen(a), nb = strlen(b), i, j;

	if (na > 64 || nb > 64)
		return SIZE_MAX;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= nb; j++) {
			size_t above = row[j], best;

			best = diagonal +
			    (text_lower(a[i - 1]) != text_lower(b[j - 1]));
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[nb];
}

bool
text_breaks_line(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.data[i] == '\r' || s.data[i] == '\n' ||
		    s.data[i] == '\0')
			return true;
	return false;
}
