/*
 * A chain of chunks; each allocation is cut from the newest one.  The first
 * chunk is small because thousands of requests may be open at once; later
 * ones double, so a big request does not make many of them.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 2032U
#define CHUNK_LARGEST (256U * 1024U)
#define ALIGNMENT (_Alignof(max_align_t))

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* bytes of data */
	max_align_t data[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void
arena_release(struct arena *a)
{
	struct arena_chunk *chunk, *next;

	for (chunk = a->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena_init(a, a->max);
}

static struct arena_chunk *
add_chunk(struct arena *a, size_t at_least)
{
	size_t size = CHUNK_FIRST;
	struct arena_chunk *chunk;

	if (a->chunks != NULL)
		size = a->chunks->size < CHUNK_LARGEST ? a->chunks->size * 2
						       : CHUNK_LARGEST;
	if (size < at_least)
		size = at_least;
	chunk = malloc(sizeof(*chunk) + size);
	if (chunk == NULL)
		return NULL;
	chunk->next = a->chunks;
	chunk->size = size;
	chunk->used = 0;
	a->chunks = chunk;
	return chunk;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *chunk = a->chunks;
	char *p;

	if (size > a->max || a->used > a->max - size)
		return NULL;
	size = size == 0 ? ALIGNMENT
			 : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (chunk == NULL || chunk->size - chunk->used < size) {
		chunk = add_chunk(a, size);
		if (chunk == NULL)
			return NULL;
	}
	p = (char *)chunk->data + chunk->used;
	chunk->used += size;
	a->used += size;
	return memset(p, 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	assert(size > 0);
	if (count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

char *
arena_strndup(struct arena *a, const char *text, size_t len)
{
	char *copy;

	assert(text != NULL || len == 0);
	if (len == SIZE_MAX)
		return NULL;
	copy = arena_alloc(a, len + 1);
	if (copy != NULL && len > 0)
		memcpy(copy, text, len);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return NULL;
	text = arena_alloc(a, (size_t)n + 1);
	if (text == NULL)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}
