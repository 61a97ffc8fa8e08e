/* What is looked at before a handler runs: body, then token
 * (contracts/chat.md 2, 4, 5). */
#ifndef PARLANCE_BOTAPI_GUARD_H
#define PARLANCE_BOTAPI_GUARD_H

#include "http/router.h"

/* Flags of routes. */
#define BOTAPI_BODY 1U /* a JSON body: x->json */
#define BOTAPI_OPEN 2U /* no token */

/* As struct family has it.  A body that is not JSON by its content type is
 * not parsed: x->json is then a value no model accepts. */
enum err botapi_guard(struct exchange *x);

#endif
