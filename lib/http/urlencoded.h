/* Percent-encoding: paths, and "a=b&c=d" of queries and forms. */
#ifndef PARLANCE_URLENCODED_H
#define PARLANCE_URLENCODED_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"

/* text with every %XX replaced by its byte, NUL-terminated in the arena; a
 * '%' without two hex digits stays.  '+' becomes a blank when plus.
 * SPAN_NONE when out of memory; the result is never longer than text. */
struct span percent_decode(struct arena *a, struct span text, bool plus);

/* Cuts the next "name=value" off *rest, still encoded; value.data is NULL
 * when there was no '='.  Empty pairs are skipped.  False at the end. */
bool urlencoded_next(struct span *rest, struct span *name,
    struct span *value);

/* The decoded value of the first pair called name (compared decoded); false
 * when there is none.  *value is SPAN_NONE when out of memory. */
bool urlencoded_find(struct span text, const char *name, struct arena *a,
    struct span *value);

/* The same of the first pair in *rest, which is cut behind it. */
bool urlencoded_find_next(struct span *rest, const char *name,
    struct arena *a, struct span *value);

#endif
