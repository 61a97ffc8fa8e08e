/* The handlers of the bot API, one file each. */
#ifndef PARLANCE_BOTAPI_ROUTES_H
#define PARLANCE_BOTAPI_ROUTES_H

#include "http/exchange.h"

/* Handlers (http/router.h): each answers, refuses, or fails before a byte is
 * written; the family then answers for it. */
enum err chat_post(struct exchange *x);
enum err bots_get(struct exchange *x);
enum err usage_statistics_post(struct exchange *x);
enum err health_get(struct exchange *x);

/* The bot a caller may talk to, by uid or slug (a uid decides alone); NULL:
 * there is none for him. */
const struct bot_config *bots_find(const struct exchange *x, struct span uid,
    struct span slug);

#endif
