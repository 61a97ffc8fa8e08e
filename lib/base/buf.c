/*
 * Growing bytes.  The allocation doubles, so adding n bytes one at a time
 * costs linear time; it never exceeds max + 1 bytes.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What holds between any two calls. */
static void
check_invariant(const struct buf *b)
{
	assert(b->len <= b->max);
	assert(b->data == NULL ? b->len == 0 && b->cap == 0
			       : b->len < b->cap && b->data[b->len] == '\0');
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void
buf_release(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->data);
	*b = (struct buf)BUF_INIT(b->max);
}

void
buf_reset(struct buf *b)
{
	check_invariant(b);
	b->len = 0;
	b->err = ERR_NONE;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* Room for n more bytes and the NUL; false when that failed. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t cap;
	char *data;

	check_invariant(b);
	if (b->err != ERR_NONE)
		return false;
	if (n > b->max - b->len) {
		b->err = ERR_TOO_BIG;
		return false;
	}
	if (b->len + n < b->cap)
		return true;
	cap = b->cap < 32 ? 64 : b->cap * 2;
	if (cap < b->len + n + 1)
		cap = b->len + n + 1;
	if (cap > b->max && b->max + 1 > b->len + n)
		cap = b->max + 1;
	data = realloc(b->data, cap);
	if (data == NULL) {
		b->err = ERR_MEMORY;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	assert(data != NULL || len == 0);
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_adds(struct buf *b, const char *text)
{
	if (text != NULL)
		buf_add(b, text, strlen(text));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void
buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0) {
		if (b->err == ERR_NONE)
			b->err = ERR_INPUT;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, format, args);
	b->len += (size_t)n;
}

void
buf_truncate(struct buf *b, size_t len)
{
	check_invariant(b);
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void
buf_consume(struct buf *b, size_t n)
{
	check_invariant(b);
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

struct span
buf_span(const struct buf *b)
{
	check_invariant(b);
	return (struct span){b->data, b->len};
}

const char *
buf_text(const struct buf *b)
{
	check_invariant(b);
	return b->data == NULL ? "" : b->data;
}

enum err
buf_err(const struct buf *b)
{
	return b->err;
}
