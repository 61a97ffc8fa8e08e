/* The numbered rules that cases cite (fixtures/RULES-*.md). */
#ifndef CHATCONF_RULES_H
#define CHATCONF_RULES_H

#include "base/text.h"
#include "match/jsonval.h"

/*
 * The text of every rule that a source such as "RULES-botapi.md#b6-4" cites,
 * with its evidence, from the files in folder; "" when it cites none.
 */
const char *rules_text(struct arena *a, const char *folder,
    const char *source);

#endif
