/* The handlers of the chat page; each is one row of site_routes.c or more. */
#ifndef PARLANCE_SITE_HANDLERS_H
#define PARLANCE_SITE_HANDLERS_H

#include "http/exchange.h"

/* site_page_handler.c */
enum err site_home_get(struct exchange *x);
enum err site_page_get(struct exchange *x);
enum err site_embed_get(struct exchange *x);

#endif
