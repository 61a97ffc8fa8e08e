/*
 * The chat page of web sites (GET /chat/NAME): a view of turns for visitors
 * without a key, bounded by the limits of [site NAME].
 */
#ifndef PARLANCE_SITE_H
#define PARLANCE_SITE_H

#include "config/config.h"
#include "http/router.h"

extern const struct family site_family;

/* The site whose page an address of this family names; NULL: there is none.
 * Its bot may be switched off. */
const struct site_config *site_of(const struct exchange *x);

/* The bot that answers; NULL: it is switched off. */
const struct bot_config *site_bot(const struct config *c,
    const struct site_config *site);

#endif
