/* UUIDs (RFC 9562) as text: 36 bytes, lower case, with hyphens. */
#ifndef PARLANCE_UUID_H
#define PARLANCE_UUID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

#define UUID_TEXT 37 /* bytes with the NUL */

/* Fills out with random bytes from the kernel. ERR_IO if there are none. */
enum err random_bytes(void *out, size_t len)
    __attribute__((warn_unused_result));

/* A random (version 4) UUID. ERR_IO as random_bytes. */
enum err uuid_random(char out[UUID_TEXT]) __attribute__((warn_unused_result));

/* A UUID made from text (version 8, by SHA-256 of space and name): the same
 * input gives the same UUID, on every machine.  For things that are declared
 * in a file and so have no row to keep an id in. */
void uuid_from_name(const char *space, struct span name, char out[UUID_TEXT]);

/* Is s exactly 8-4-4-4-12 hex digits, either case? */
bool uuid_is_hyphenated(struct span s);

/* The liberal form of contracts/chat-messages.md 2: hyphens optional,
 * braces and "urn:uuid:" allowed, any case. False when s is none. */
bool uuid_parse(struct span s, char out[UUID_TEXT]);

#endif
