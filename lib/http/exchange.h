/* One request on its way through the program, and the answer to it. */
#ifndef PARLANCE_EXCHANGE_H
#define PARLANCE_EXCHANGE_H

#include "http/answer.h"
#include "http/request.h"
#include "http/response.h"

struct config;        /* config/config.h: read-only, shared */
struct store_pool;    /* store/store.h: leases database connections */
struct durable_change; /* durable/durable_reply.h */
struct engine_worker; /* engine/engine.h: what belongs to this worker */
struct caller;        /* auth/caller.h: whose key it is */
struct pyjson;        /* json/pyjson.h */
struct route;
struct family;

struct exchange {
	const struct config *config;
	struct store_pool *stores;
	struct engine_worker *worker;
	struct request request;
	struct response response;
	const struct family *family; /* whose path it is */
	const struct route *route;   /* what matched */
	struct span captures[4];     /* the {parts} of its pattern */
	const struct caller *caller; /* set by the family's guard */
	const struct pyjson *json;   /* the body, when the guard decodes it */
	struct durable_change *change; /* what the reply waits for */
	struct answer *answer; /* a handler that must wait leaves it here */
};

#endif
