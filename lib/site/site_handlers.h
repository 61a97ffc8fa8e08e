/* The handlers of the chat page; each is one row of site_routes.c or more. */
#ifndef PARLANCE_SITE_HANDLERS_H
#define PARLANCE_SITE_HANDLERS_H

#include "http/exchange.h"

/* site_page_handler.c */
enum err site_home_get(struct exchange *x);
enum err site_page_get(struct exchange *x);
enum err site_embed_get(struct exchange *x);

/* site_ask_handler.c */
enum err site_messages_post(struct exchange *x);

/* site_history_handler.c */
enum err site_messages_get(struct exchange *x);
enum err site_messages_delete(struct exchange *x);
enum err site_feedback_post(struct exchange *x);
enum err site_stop_post(struct exchange *x);

#endif
