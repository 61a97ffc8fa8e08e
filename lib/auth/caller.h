/* Whose request it is: a key of the configuration, and what it opens. */
#ifndef PARLANCE_CALLER_H
#define PARLANCE_CALLER_H

#include "base/text.h"
#include "config/config.h"

struct caller {
	const struct key_config *key;
	/* The one bot this key is bound to; NULL when it opens all. */
	const struct bot_config *bot;
};

enum credentials_state {
	CREDENTIALS_ABSENT, /* no header, or no credentials in it */
	CREDENTIALS_OTHER_SCHEME,
	CREDENTIALS_BEARER
};

/*
 * Finds the key whose text is `token`; NULL when none, or when it is
 * switched off.  The comparison takes the same time for every key.  In a
 * demo deployment "demo-key" is known too, as key "demo".
 */
const struct key_config *key_find(const struct config *c, struct span token);

/* A new key: prefix, 32 random letters and digits, a checksum of 6.
 * text is shown once; hash goes into [key NAME] hash = ...  ERR_IO when
 * there is no randomness, ERR_TOO_BIG for a prefix over 24 bytes. */
#define KEY_TEXT 64
#define KEY_HASH 160
enum err key_make(const char *prefix, char text[KEY_TEXT],
    char hash[KEY_HASH]) __attribute__((warn_unused_result));
/* The hash line of a given text, salted. */
enum err key_hash(const char *text, char hash[KEY_HASH])
    __attribute__((warn_unused_result));

#endif
