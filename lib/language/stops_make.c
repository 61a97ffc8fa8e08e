/*
 * Prints the table of stop words (stops.h) as C; run when the program is
 * built, it is no part of it.
 */
#include "language/stops.h"

#include <stdio.h>
#include <string.h>

#define X(code, name, stemmer, own, unknown, yes, no, found, stop) stop,
static const char *const lists[] = {
#include "language/languages.inc"
};
#undef X

#define N_LISTS (sizeof(lists) / sizeof(lists[0]))
#define TEXT_MAX 65536

static struct stop_slot slots[STOPS_SIZE];
static char text[TEXT_MAX];
static size_t used, n_words;

static int
add(const char *word, size_t len, uint32_t mask)
{
	size_t i = stops_first(word, len);

	while (slots[i].mask != 0 && (slots[i].len != len ||
		memcmp(text + slots[i].at, word, len) != 0))
		i = (i + 1) & (STOPS_SIZE - 1);
	if (slots[i].mask == 0) {
		if (used + len > TEXT_MAX || ++n_words > STOPS_SIZE / 2)
			return -1;
		memcpy(text + used, word, len);
		slots[i].at = (uint32_t)used;
		slots[i].len = (uint32_t)len;
		used += len;
	}
	slots[i].mask |= mask;
	return 0;
}

int
main(void)
{
	const char *word;
	size_t i, len;

	for (i = 0; i < N_LISTS; i++)
		for (word = lists[i]; *word != '\0'; word += len) {
			len = strcspn(word, " ");
			if (len > 0 && add(word, len, (uint32_t)1 << i) != 0) {
				(void)fprintf(stderr, "stops_make: more stop "
						      "words than there is "
						      "room for\n");
				return 1;
			}
			len += word[len] == ' ';
		}
	(void)printf("static const unsigned char stop_text[] = {");
	for (i = 0; i < used; i++)
		(void)printf("%s%u,", i % 16 == 0 ? "\n" : "",
		    (unsigned)(unsigned char)text[i]);
	(void)printf("};\nstatic const struct stop_slot "
		     "stop_slots[STOPS_SIZE] = {\n");
	for (i = 0; i < STOPS_SIZE; i++)
		if (slots[i].mask != 0)
			(void)printf("[%zu] = {%u, %u, 0x%x},\n", i,
			    (unsigned)slots[i].at, (unsigned)slots[i].len,
			    (unsigned)slots[i].mask);
	(void)printf("};\n");
	return 0;
}
