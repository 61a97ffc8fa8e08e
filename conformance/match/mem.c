/* See mem.h. */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
must(void *p)
{
	if (p == NULL) {
		fputs("chatconf: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

void *
mem_new(struct arena *a, size_t size)
{
	return must(arena_alloc(a, size));
}

void *
mem_array(struct arena *a, size_t count, size_t size)
{
	return must(arena_array(a, count, size));
}

char *
mem_strdup(struct arena *a, const char *text)
{
	return must(arena_strdup(a, text));
}

struct span
mem_span(struct arena *a, struct span s)
{
	return (struct span){
	    must(arena_strndup(a, s.data == NULL ? "" : s.data, s.len)),
	    s.len};
}

char *
mem_printf(struct arena *a, const char *format, ...)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	va_list args;

	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	return (char *)(uintptr_t)mem_take(a, &b).data;
}

struct span
mem_take(struct arena *a, struct buf *b)
{
	struct span s;

	if (buf_err(b) == ERR_MEMORY)
		must(NULL);
	s = mem_span(a, (struct span){buf_text(b), b->len});
	buf_release(b);
	return s;
}

void *
mem_grow(void *items, size_t count, size_t size)
{
	/* Grows at every power of two, so adding stays cheap. */
	if (count == 0)
		return must(realloc(items, 4 * size));
	if (count >= 4 && (count & (count - 1)) == 0)
		return must(realloc(items, 2 * count * size));
	return items;
}
