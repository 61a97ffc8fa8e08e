/* Bytes from outside as text that any terminal and any report may show. */
#ifndef CHATCONF_SHOWN_H
#define CHATCONF_SHOWN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"

enum shown_lines {
	SHOWN_ONE_LINE, /* a line feed becomes \n */
	SHOWN_LINES     /* line feeds and tabs stay */
};

/*
 * Valid UTF-8 stays as it is, except what moves the cursor, changes colours
 * or the direction of writing, or has no place in XML 1.0: that, and bytes
 * that are no UTF-8, are written as \xNN or \u{NNNN}.  The text is in the
 * arena.
 */
char *shown_text(struct arena *a, struct span text, enum shown_lines lines);

/* Would shown_text leave it as it is? */
bool shown_is_plain(struct span text, enum shown_lines lines);

#endif
