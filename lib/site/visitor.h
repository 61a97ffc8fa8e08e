/*
 * A visitor: an id that the server makes and signs, for one site and until a
 * moment that use moves on.  Nothing of it is stored; whoever shows a token
 * that we signed is the visitor that it names.
 *
 * A token is "v1.ID.EXPIRY.SIGNATURE": 32 hex digits, seconds since 1970 in
 * hex, the first 32 hex digits of an HMAC-SHA256 over the site's name and all
 * that stands before.
 */
#ifndef PARLANCE_VISITOR_H
#define PARLANCE_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/secret.h"
#include "base/err.h"
#include "base/text.h"

#define VISITOR_ID 33    /* bytes, with the NUL */
#define VISITOR_TOKEN 96 /* bytes, with the NUL, at the most */
#define VISITOR_HEADER "X-Parlance-Visitor"

struct visitor {
	char id[VISITOR_ID];
	bool is_new; /* made now: nothing of him is stored */
};

/* A visitor nobody has seen. ERR_IO: no random bytes. */
enum err visitor_new(struct visitor *v) __attribute__((warn_unused_result));

/* Did we sign the token, for this site, and is it still valid at now_s?
 * False leaves *v untouched. */
bool visitor_read(const uint8_t key[SECRET_KEY], const char *site,
    struct span token, int64_t now_s, struct visitor *v);

/* His token, valid until expires_s. */
void visitor_token(const uint8_t key[SECRET_KEY], const char *site,
    const struct visitor *v, int64_t expires_s, char out[VISITOR_TOKEN]);

#endif
