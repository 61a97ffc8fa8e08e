/* The bot API (contracts/chat.md): its routes and its forms of refusal. */
#ifndef PARLANCE_BOTAPI_H
#define PARLANCE_BOTAPI_H

#include "http/router.h"

extern const struct family botapi_family;

#endif
