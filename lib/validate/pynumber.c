/*
 * Text is first brought into ASCII: signs and letters stay, digits of any
 * script become 0-9, single underscores between digits go.  What is left is
 * judged by a plain grammar.
 */
#include "validate/pynumber.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define INT_TEXT_MAX 4300U

/* Where runs of ten decimal digits begin (Unicode 14), ascending. */
static const uint32_t digit_runs[] = {0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966,
    0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0,
    0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900,
    0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0,
    0x1E950, 0x1FBF0};

int
pynumber_digit(uint32_t code)
{
	size_t low = 0, high = sizeof(digit_runs) / sizeof(digit_runs[0]);

	if (code < 0x80)
		return code >= '0' && code <= '9' ? (int)(code - '0') : -1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code < digit_runs[middle])
			high = middle;
		else if (code > digit_runs[middle] + 9)
			low = middle + 1;
		else
			return (int)(code - digit_runs[middle]);
	}
	return -1;
}

bool
pynumber_is_space(uint32_t code)
{
	return (code >= 0x09 && code <= 0x0D) || code == 0x20 ||
	    code == 0x85 || code == 0xA0 || code == 0x1680 ||
	    (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
	    code == 0x2029 || code == 0x202F || code == 0x205F ||
	    code == 0x3000;
}

struct span
pynumber_trim(struct span text)
{
	size_t at = 0, begin = 0, end = 0;
	bool inside = false;

	while (at < text.len) {
		size_t start = at;

		if (pynumber_is_space(utf8_next(text, &at)))
			continue;
		if (!inside)
			begin = start;
		inside = true;
		end = at;
	}
	return (struct span){text.data == NULL ? "" : text.data + begin,
	    end - begin};
}

/* The text in ASCII, NUL behind it; NULL data when it cannot be a number.
 * *memory is false when the arena is full. */
static struct span
to_ascii(struct arena *arena, struct span text, bool *memory)
{
	char *out;
	size_t at = 0, n = 0;
	bool digit = false, underscore = false;

	text = pynumber_trim(text);
	out = arena_alloc(arena, text.len + 1);
	*memory = out != NULL;
	if (out == NULL)
		return SPAN_NONE;
	while (at < text.len) {
		uint32_t code = utf8_next(text, &at);
		int value = pynumber_digit(code);

		if (underscore && value < 0)
			return SPAN_NONE;
		if (code == '_' && !digit)
			return SPAN_NONE;
		underscore = code == '_';
		digit = value >= 0;
		if (underscore)
			continue;
		if (!digit && (code >= 0x80 || code == 0))
			return SPAN_NONE;
		out[n++] = digit ? (char)('0' + value) : (char)code;
	}
	if (underscore)
		return SPAN_NONE;
	return (struct span){out, n};
}

static size_t
count_digits(const char *p)
{
	size_t n = 0;

	while (text_is_digit(p[n]))
		n++;
	return n;
}

enum pynumber_state
pynumber_int(struct arena *arena, struct span text, struct span *digits)
{
	struct span ascii;
	size_t sign, n;
	const char *p;
	char *copy;
	bool memory;

	/* A code point has four bytes at the max: no need to count more. */
	if (text.len > INT_TEXT_MAX && (text.len > 4 * INT_TEXT_MAX ||
	        utf8_length(text) > INT_TEXT_MAX))
		return PYNUMBER_NONE;
	ascii = to_ascii(arena, text, &memory);
	if (ascii.data == NULL)
		return memory ? PYNUMBER_NONE : PYNUMBER_NO_MEMORY;
	sign = ascii.data[0] == '-' || ascii.data[0] == '+';
	p = ascii.data + sign;
	n = count_digits(p);
	if (n == 0 || n != ascii.len - sign)
		return PYNUMBER_NONE;
	while (n > 1 && *p == '0') {
		p++;
		n--;
	}
	copy = arena_printf(arena, "%s%s",
	    ascii.data[0] == '-' && *p != '0' ? "-" : "", p);
	if (copy == NULL)
		return PYNUMBER_NO_MEMORY;
	*digits = span_of(copy);
	return PYNUMBER_READ;
}

/* Is it a number in Python's grammar?  strtod alone would take more. */
static bool
is_float(struct span ascii)
{
	const char *p = ascii.data, *end = p + ascii.len;
	struct span word;
	size_t n;

	if (*p == '+' || *p == '-')
		p++;
	word = (struct span){p, (size_t)(end - p)};
	if (span_is_nocase(word, "inf") || span_is_nocase(word, "infinity") ||
	    span_is_nocase(word, "nan"))
		return true;
	n = count_digits(p);
	p += n;
	if (*p == '.') {
		size_t fraction = count_digits(++p);

		n += fraction;
		p += fraction;
	}
	if (n == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		n = count_digits(p);
		if (n == 0)
			return false;
		p += n;
	}
	return p == end;
}

enum pynumber_state
pynumber_float(struct arena *arena, struct span text, double *value)
{
	bool memory;
	struct span ascii = to_ascii(arena, text, &memory);

	if (ascii.data == NULL)
		return memory ? PYNUMBER_NONE : PYNUMBER_NO_MEMORY;
	if (!is_float(ascii))
		return PYNUMBER_NONE;
	*value = strtod(ascii.data, NULL);
	return PYNUMBER_READ;
}

/* Reads from least to most digits; false when there are fewer. */
static bool
read_digits(struct span text, size_t *at, size_t min, size_t max, int *value)
{
	size_t n = 0;

	*value = 0;
	while (n < max && *at < text.len) {
		size_t next = *at;
		int digit = pynumber_digit(utf8_next(text, &next));

		if (digit < 0)
			break;
		*value = *value * 10 + digit;
		*at = next;
		n++;
	}
	return n >= min;
}

static bool
read_hyphen(struct span text, size_t *at)
{
	return *at < text.len && text.data[(*at)++] == '-';
}

bool
pynumber_date(struct span text, int *year, int *month, int *day)
{
	size_t at = 0;

	if (!read_digits(text, &at, 4, 4, year) || !read_hyphen(text, &at) ||
	    !read_digits(text, &at, 1, 2, month) || !read_hyphen(text, &at) ||
	    !read_digits(text, &at, 1, 2, day))
		return false;
	if (at < text.len && text.data[at] == '\n')
		at++;
	return at == text.len;
}
