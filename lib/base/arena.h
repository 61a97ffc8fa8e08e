/*
 * Memory that is released all at once: everything that belongs to one
 * request lives in its arena.  One thread at a time.
 */
#ifndef PARLANCE_ARENA_H
#define PARLANCE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;                /* bytes handed out, for the limit */
	size_t max;                 /* arena_alloc fails beyond this */
};

void arena_init(struct arena *a, size_t max);
/* Frees everything handed out; the arena is empty and usable again. */
void arena_release(struct arena *a);

/* size bytes, zeroed, aligned for any type; NULL when out of memory or over
 * the maximum.  A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* Room for count members of size bytes; NULL also on overflow. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A NUL-terminated copy of text[0..len); NULL as arena_alloc. */
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_strdup(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
