/* The files of ../fixtures that are inside the program (embedded_make.c). */
#ifndef CHATCONF_EMBEDDED_H
#define CHATCONF_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* "botapi/bots/bots.json" */
	const char *text;
};
extern const struct embedded embedded[]; /* ends with a NULL name */

#endif
