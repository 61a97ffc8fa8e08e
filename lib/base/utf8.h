/*
 * UTF-8, one code point at a time.  Inside the program text is "UTF-8 with
 * surrogates let through": ED A0 80 .. ED BF BF stand for lone surrogates,
 * as contracts/chat.md 4.3 asks of request bodies.
 */
#ifndef PARLANCE_UTF8_H
#define PARLANCE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define UTF8_INVALID UINT32_MAX

/*
 * Reads the code point at s.data[*at] and moves *at behind it.  On bytes
 * that are no code point: UTF8_INVALID, and *at moves one byte on.
 * *at must be below s.len.  Overlong forms and values above 10FFFF are
 * invalid; surrogates (D800..DFFF) are returned as they are.
 */
uint32_t utf8_next(struct span s, size_t *at);

/* Writes code (0..10FFFF, surrogates included) to out; returns 1 to 4. */
size_t utf8_put(char out[4], uint32_t code);

/* Code points in s; each invalid byte counts as one. */
size_t utf8_length(struct span s);

/* Is all of s UTF-8?  Surrogates are allowed only when `surrogates`. */
bool utf8_valid(struct span s, bool surrogates);

/* The longest prefix of s with at most n code points. */
struct span utf8_prefix(struct span s, size_t n);

#endif
