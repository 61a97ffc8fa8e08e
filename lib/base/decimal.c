/* Decimals on 128-bit integers; overflow is an error, never a wrap. */
#include "base/decimal.h"

#include <string.h>

#include "base/text.h"

bool
decimal_parse(const char *text, struct decimal *out)
{
	struct decimal d = {0, 0};
	int before = 0, after = 0;
	bool point = false;
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (!text_is_digit(*p))
			return false;
		d.units = d.units * 10 + (*p - '0');
		if (point)
			after++;
		else
			before++;
		if (before > DECIMAL_DIGITS_MAX || after > DECIMAL_DIGITS_MAX)
			return false;
	}
	if (before == 0 || (point && after == 0))
		return false;
	d.scale = after;
	*out = d;
	return true;
}

enum err
decimal_multiply(struct decimal a, struct decimal b, struct decimal *out)
{
	struct decimal d;

	if (__builtin_mul_overflow(a.units, b.units, &d.units))
		return ERR_TOO_BIG;
	d.scale = a.scale + b.scale;
	*out = d;
	return ERR_NONE;
}

static enum err
rescale(struct decimal *d, int scale)
{
	for (; d->scale < scale; d->scale++)
		if (__builtin_mul_overflow(d->units, 10, &d->units))
			return ERR_TOO_BIG;
	return ERR_NONE;
}

enum err
decimal_add(struct decimal a, struct decimal b, struct decimal *out)
{
	int scale = a.scale > b.scale ? a.scale : b.scale;

	if (rescale(&a, scale) != ERR_NONE || rescale(&b, scale) != ERR_NONE ||
	    __builtin_add_overflow(a.units, b.units, &a.units))
		return ERR_TOO_BIG;
	*out = a;
	return ERR_NONE;
}

struct decimal
decimal_round(struct decimal a, int places)
{
	__int128 divisor = 1, rest;

	if (a.scale <= places) {
		/* Only adds zeros; leaves the scale where they do not fit. */
		(void)rescale(&a, places);
		return a;
	}
	for (; a.scale > places && divisor < (__int128)1 << 120; a.scale--)
		divisor *= 10;
	rest = a.units % divisor;
	a.units /= divisor;
	if (rest * 2 >= divisor)
		a.units++;
	else if (rest * 2 <= -divisor)
		a.units--;
	return a;
}

enum err
decimal_text(struct decimal a, char *out, size_t size)
{
	char digits[64];
	size_t n = 0, at = 0;
	bool negative = a.units < 0;
	unsigned __int128 rest =
	    negative ? -(unsigned __int128)a.units : (unsigned __int128)a.units;

	while (rest > 0 || n <= (size_t)a.scale) {
		if (n == sizeof(digits))
			return ERR_TOO_BIG;
		digits[n++] = (char)('0' + (int)(rest % 10));
		rest /= 10;
	}
	if (n + 3 > size)
		return ERR_TOO_BIG;
	if (negative)
		out[at++] = '-';
	while (n > 0) {
		if (n == (size_t)a.scale)
			out[at++] = '.';
		out[at++] = digits[--n];
	}
	out[at] = '\0';
	return ERR_NONE;
}
