/*
 * Exact decimals for money: a whole number scaled by a power of ten, from
 * text to text, never through binary floating point.
 */
#ifndef PARLANCE_DECIMAL_H
#define PARLANCE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* value = units / 10^scale */
struct decimal {
	__int128 units;
	int scale;
};

#define DECIMAL_DIGITS_MAX 12 /* before the point, and after it */

/* Digits, optionally a point and digits; at most DECIMAL_DIGITS_MAX on each
 * side; no sign. False when text is something else. */
bool decimal_parse(const char *text, struct decimal *out);

/* ERR_TOO_BIG when the result does not fit. */
enum err decimal_multiply(struct decimal a, struct decimal b,
    struct decimal *out) __attribute__((warn_unused_result));
enum err decimal_add(struct decimal a, struct decimal b, struct decimal *out)
    __attribute__((warn_unused_result));

/* Exactly `places` digits after the point; half goes away from zero. */
struct decimal decimal_round(struct decimal a, int places);

/* Plain notation, "0.0010330"; ERR_TOO_BIG when size is too small. */
enum err decimal_text(struct decimal a, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
