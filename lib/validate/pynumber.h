/*
 * Numbers in strings, as Python's int() and float() read them: white space
 * and digits of every script, underscores (contracts/chat.md 6.3, appendix
 * A).
 */
#ifndef PARLANCE_PYNUMBER_H
#define PARLANCE_PYNUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* The value of a decimal digit of any script, else -1. */
int pynumber_digit(uint32_t code);
bool pynumber_is_space(uint32_t code);
/* Without the white space at both ends. */
struct span pynumber_trim(struct span text);

enum pynumber_state { PYNUMBER_READ, PYNUMBER_NONE, PYNUMBER_NO_MEMORY };

/* int(text): *digits is "-17" in ASCII without leading zeros, NUL behind it,
 * in the arena.  More than 4300 code points, white space included, is none. */
enum pynumber_state pynumber_int(struct arena *arena, struct span text,
    struct span *digits);
/* float(text); infinities and NaN are among the values. */
enum pynumber_state pynumber_float(struct arena *arena, struct span text,
    double *value);

/* The year, month and day of "YYYY-M-D" and at most one LF; false when the
 * form is another.  Whether the day exists is not looked at. */
bool pynumber_date(struct span text, int *year, int *month, int *day);

#endif
