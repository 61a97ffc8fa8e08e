/*
 * The table of stop words, which stops_make.c makes at build time: filling it
 * would cost a CGI start a third of an empty program's time.  This is what
 * maker and reader know of each other.
 */
#ifndef PARLANCE_STOPS_H
#define PARLANCE_STOPS_H

#include <stddef.h>
#include <stdint.h>

#define STOPS_SIZE 8192 /* a power of two, far above the number of words */

struct stop_slot {
	uint32_t at;   /* of the word in the text of all words */
	uint32_t len;
	uint32_t mask; /* of languages; 0: the slot is empty */
};

/* Where a word's slot is looked for first; the next ones follow. */
static inline size_t
stops_first(const char *word, size_t len)
{
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)word[i]) * 16777619U;
	return hash & (STOPS_SIZE - 1);
}

#endif
