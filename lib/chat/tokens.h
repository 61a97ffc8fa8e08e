/* How many tokens a text has, for models that do not tell. */
#ifndef PARLANCE_TOKENS_H
#define PARLANCE_TOKENS_H

#include <stdint.h>

#include "base/text.h"

/* A deterministic count, about what common vocabularies give: zero only for
 * text without visible characters.  Safe from any thread. */
int64_t tokens_count(struct span text);

#endif
