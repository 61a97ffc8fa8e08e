/* The messages API (contracts/chat-messages.md): routes and refusals. */
#ifndef PARLANCE_MESSAGESAPI_H
#define PARLANCE_MESSAGESAPI_H

#include "http/router.h"

extern const struct family messagesapi_family;

#endif
