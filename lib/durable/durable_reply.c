/* The wait is a function of the response where the thread waits, and a job of
 * the store where the gateway holds the reply. */
#include "durable/durable_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "http/gateway_memory.h"
#include "http/router.h"

#define FAILURE_MEMORY ((size_t)1 << 20)
/* When there is no memory for more. */
#define PLAIN_FAILURE \
	"Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"

static void
defer_loss(struct store_pool *stores, store_change if_lost, const void *arg,
    size_t size)
{
	if (if_lost != NULL)
		store_defer(stores, if_lost, arg, size);
}

/* ---- on the thread that sends -------------------------------------------- */

static enum err
make_durable(void *arg)
{
	struct durable_change *c = arg;
	enum err err = store_write_durable(c->stores, c->change, c->arg);

	if (err != ERR_NONE)
		defer_loss(c->stores, c->if_lost, c->arg, c->size);
	return err;
}

static enum err
await_disk(void *stores)
{
	return store_write_durable(stores, NULL, NULL);
}

void
durable_reply_with(struct exchange *x, struct durable_change *change)
{
	change->stores = x->stores;
	x->change = change;
	response_not_before(&x->response, make_durable, change);
}

enum err
durable_reply_write(struct exchange *x, store_change change, void *arg)
{
	bool durable;
	enum err err = store_write_committed(x->stores, change, arg, &durable);

	if (err == ERR_NONE && !durable)
		response_not_before(&x->response, await_disk, x->stores);
	return err;
}

/* ---- when the gateway holds it ------------------------------------------- */

struct held {
	struct store_job job; /* first */
	struct gateway_rest *rest;
	struct store_pool *stores;
	const struct config *config;
	const struct family *family;
	store_change if_lost;
	size_t size;
	char id[REQUEST_ID];
	max_align_t arg[]; /* of the change, size bytes */
};

static void
log_failure(enum err err, const char *id)
{
	log_error("store: an answer could not be stored: %s (request %s)",
	    err_text(err), id);
}

/* Instead of a reply whose change is not on the disk: a failure's. */
static void
send_failure(const struct held *h, enum err err)
{
	struct gateway_memory memory;
	struct arena arena;
	struct exchange x;

	log_failure(err, h->id);
	arena_init(&arena, FAILURE_MEMORY);
	gateway_memory_init(&memory, NULL, SPAN_NONE);
	memset(&x, 0, sizeof(x));
	x.request.arena = &arena;
	x.request.gateway = &memory.gateway;
	(void)snprintf(x.request.id, sizeof(x.request.id), "%s", h->id);
	x.config = h->config;
	response_init(&x.response, &memory.gateway, h->id, false);
	(void)h->family->failed(&x, err);
	h->rest->send(h->rest, (struct span){buf_text(&memory.output),
	    memory.output.len});
	response_release(&x.response);
	gateway_memory_release(&memory);
	arena_release(&arena);
}

static void
send_held(struct store_job *job, enum err err)
{
	struct held *h = (struct held *)job;

	if (err == ERR_NONE) {
		h->rest->send(h->rest, SPAN_NONE);
	} else {
		defer_loss(h->stores, h->if_lost, h->arg, h->size);
		send_failure(h, err);
	}
	free(h);
}

void
durable_reply_hold(const struct exchange *x, struct gateway *gateway)
{
	static const struct durable_change nothing = {.change = NULL};
	const struct durable_change *c =
	    x->change == NULL ? &nothing : x->change;
	struct gateway_rest *rest = gateway->ops->rest(gateway);
	struct held *h = malloc(sizeof(*h) + c->size);

	if (h == NULL) {
		log_failure(ERR_MEMORY, x->request.id);
		defer_loss(x->stores, c->if_lost, c->arg, c->size);
		rest->send(rest, SPAN(PLAIN_FAILURE));
		return;
	}
	*h = (struct held){
	    .job = {.change = c->change, .arg = h->arg, .done = send_held},
	    .rest = rest,
	    .stores = x->stores,
	    .config = x->config,
	    .family = x->family,
	    .if_lost = c->if_lost,
	    .size = c->size,
	};
	(void)snprintf(h->id, sizeof(h->id), "%s", x->request.id);
	if (c->size > 0)
		memcpy(h->arg, c->arg, c->size);
	store_when_durable(x->stores, &h->job);
}
