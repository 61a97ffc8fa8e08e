/* The list of known failures: one name or glob a line, '#' begins a comment. */
#ifndef CHATCONF_KNOWN_H
#define CHATCONF_KNOWN_H

#include "casefile.h"

struct known {
	char **globs;
	size_t count;
};

/* Reads the list; false after saying what is wrong. A line that fits no
 * case of the book is wrong: the case was renamed or is gone. */
bool known_load(struct arena *a, const char *path,
    const struct casebook *book, struct known *known);
bool known_has(const struct known *known, const char *name);

#endif
