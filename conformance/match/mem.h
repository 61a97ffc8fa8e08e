/*
 * Memory for a program that a person starts and waits for: when there is
 * none left it says so and ends, so no caller has a path for it.
 */
#ifndef CHATCONF_MEM_H
#define CHATCONF_MEM_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

#define MEM_ARENA_MAX ((size_t)1 << 30)
#define MEM_TEXT_MAX ((size_t)128 << 20)

/* p, or the end of the program when it is NULL. */
void *must(void *p);

/* As the arena_ functions, never NULL. */
void *mem_new(struct arena *a, size_t size);
void *mem_array(struct arena *a, size_t count, size_t size);
char *mem_strdup(struct arena *a, const char *text);
struct span mem_span(struct arena *a, struct span s);
char *mem_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The buffer's text as a span of the arena; the buffer is released. */
struct span mem_take(struct arena *a, struct buf *b);

/* A list that grows: room for one more of size bytes at items[count]. */
void *mem_grow(void *items, size_t count, size_t size);

#endif
