/*
 * Bytes that grow, up to a maximum given at the start.
 *
 * The first failure (memory, or the maximum) sticks: later additions do
 * nothing, so a run of buf_add calls needs one check at its end,
 * buf_err().  The bytes are always followed by a NUL that len does not
 * count; NUL inside is legal.
 */
#ifndef PARLANCE_BUF_H
#define PARLANCE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

struct buf {
	char *data;  /* NUL-terminated once anything was added; else NULL */
	size_t len;  /* bytes, without the NUL */
	size_t cap;  /* bytes allocated */
	size_t max;  /* len never exceeds this */
	enum err err; /* ERR_NONE, ERR_MEMORY or ERR_TOO_BIG */
};

#define BUF_INIT(max_bytes)                                                    \
	{                                                                      \
		.max = (max_bytes)                                             \
	}

void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the buffer is empty and usable again.  NULL is fine. */
void buf_release(struct buf *b);
/* Empties it and forgets an error; keeps the allocation. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *text); /* NULL adds nothing */
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Cuts to the first len bytes; a len beyond the end changes nothing. */
void buf_truncate(struct buf *b, size_t len);
/* Removes the first n bytes, moving the rest to the front. */
void buf_consume(struct buf *b, size_t n);

/* The bytes, valid until the next addition; empty when there are none. */
struct span buf_span(const struct buf *b);
/* The text, never NULL: "" when empty. */
const char *buf_text(const struct buf *b);
/* What went wrong first; ERR_NONE when nothing did. */
enum err buf_err(const struct buf *b) __attribute__((warn_unused_result));
#endif
