/*
 * {{name}} in strings.
 *
 * A value that was captured or came from outside (the command line, the
 * profile's plain values) is marked literal wherever it lands: a server that
 * answers "$any" as its conversation id must not thereby write a matcher.
 * Only values out of a row are read as matchers.
 */
#ifndef CHATCONF_VARS_H
#define CHATCONF_VARS_H

#include "match/jsonval.h"

/* The layers, the first that knows a name wins. */
enum vars_layer {
	VARS_CAPTURED,
	VARS_ROW,
	VARS_SET,
	VARS_PROFILE,
	VARS_ALWAYS, /* key, run */
	VARS_LAYERS
};

struct vars {
	const struct jv *layers[VARS_LAYERS]; /* objects, or NULL */
};

/* The variable's value, or NULL; *layer says whose it is. */
const struct jv *vars_get(const struct vars *vars, struct span name,
    enum vars_layer *layer);

/* tree with every {{name}} replaced.  NULL when one is not defined: then
 * *undefined is its name. */
const struct jv *vars_fill(struct arena *a, const struct vars *vars,
    const struct jv *tree, struct span *undefined);

/* Is name a possible variable: a letter, then letters, digits, '_'? */
bool vars_is_name(struct span name);

#endif
