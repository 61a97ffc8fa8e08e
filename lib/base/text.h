/*
 * Small things to do with bytes of text.  All of it is ASCII and does not
 * look at the locale.
 */
#ifndef PARLANCE_TEXT_H
#define PARLANCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes with their length; NUL inside is legal.  data may be NULL when len
 * is 0.  It does not own the bytes. */
struct span {
	const char *data;
	size_t len;
};

#define SPAN_NONE ((struct span){NULL, 0})
/* The bytes of a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

struct span span_of(const char *text); /* NULL gives an empty span */
bool span_is(struct span s, const char *text);
bool span_equal(struct span a, struct span b);
/* As span_is, letters A-Z and a-z alike. */
bool span_is_nocase(struct span s, const char *text);
bool span_starts(struct span s, const char *prefix);
bool span_ends(struct span s, const char *suffix);
/* Without space, tab, CR and LF at both ends. */
struct span span_trim(struct span s);
/* Cuts *rest at the first `at`: returns what stands before it and leaves
 * what comes after; without `at`, returns all and leaves an empty span with
 * NULL data. */
struct span span_cut(struct span *rest, char at);

bool text_is_digit(char c);
bool text_is_alpha(char c);
bool text_is_alnum(char c);
bool text_is_hex(char c);
bool text_is_blank(char c); /* space, tab, CR, LF, VT, FF */
char text_lower(char c);
char text_upper(char c);
/* 0 to 15, or -1 */
int text_hex_value(char c);
/* Two lower-case digits for each byte, and a NUL. */
void text_hex(const uint8_t *bytes, size_t n, char *out);

/* Decimal digits, optionally after '-', the whole of s and within
 * [min, max]; else false and *value untouched. */
bool text_to_int64(struct span s, int64_t min, int64_t max, int64_t *value);

/* True when a and b are the same bytes; the time depends on the lengths
 * only. For secrets. */
bool text_equal_constant_time(struct span a, struct span b);

/* How many single-letter changes turn a into b (Levenshtein); for naming
 * the nearest known word.  Both at most 64 bytes, else SIZE_MAX. */
size_t text_distance(const char *a, const char *b);

/* Is there a CR, LF or NUL in it?  Such text must not go into a header. */
bool text_breaks_line(struct span s);

#endif
