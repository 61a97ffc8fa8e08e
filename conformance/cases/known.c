/* See known.h. */
#include "known.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "casefolder.h"
#include "match/mem.h"

static bool
fits_a_case(struct arena *a, const char *glob, const struct casebook *book)
{
	size_t i;

	for (i = 0; i < book->count; i++)
		if (fnmatch(glob, book->cases[i].name, 0) == 0 ||
		    fnmatch(glob,
			mem_printf(a, "%s~live", book->cases[i].name),
			0) == 0)
			return true;
	return false;
}

bool
known_load(struct arena *a, const char *path, const struct casebook *book,
    struct known *known)
{
	struct span text = casefolder_read(a, path), line;
	unsigned number = 0;
	bool good = true;
	char *glob;

	*known = (struct known){.count = 0};
	if (text.data == NULL) {
		fprintf(stderr, "chatconf: %s: %s\n", path, strerror(errno));
		return false;
	}
	known->globs = mem_array(a, text.len + 1, sizeof(char *));
	while (text.data != NULL) {
		number++;
		line = span_cut(&text, '\n');
		line = span_trim(span_cut(&line, '#'));
		if (line.len == 0)
			continue;
		glob = must(arena_strndup(a, line.data, line.len));
		known->globs[known->count++] = glob;
		if (!fits_a_case(a, glob, book)) {
			fprintf(stderr, "%s:%u: no case is called %s\n",
			    path, number, glob);
			good = false;
		}
	}
	return good;
}

bool
known_has(const struct known *known, const char *name)
{
	size_t i;

	for (i = 0; i < known->count; i++)
		if (fnmatch(known->globs[i], name, 0) == 0)
			return true;
	return false;
}
