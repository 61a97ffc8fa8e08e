/*
 * The list of APIs, and the way of one request through them.
 */
#include "app/app.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/drive.h"
#include "app/observe.h"
#include "app/probe.h"
#include "auth/caller.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "botapi/botapi.h"
#include "durable/durable_reply.h"
#include "http/forwarded.h"
#include "http/router.h"
#include "messagesapi/messagesapi.h"
#include "site/site.h"
#include "store/alive.h"
#include "store/store.h"

/* Memory of one request: its body, the decoded values (at most twelve times
 * the body), history and passages. */
#define REQUEST_MEMORY ((size_t)96 << 20)
#define USUAL_FILE ((int64_t)16 << 20)

/* In the order they are asked; the last answers what nobody owns. */
static const struct family *const families[] = {
    &site_family,
    &messagesapi_family,
    &botapi_family,
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

struct app {
	struct config *config;
	struct store_pool *stores;
};

struct app *
app_new(struct config *config, int max_stores)
{
	struct app *app = calloc(1, sizeof(*app));

	if (app == NULL) {
		config_free(config);
		return NULL;
	}
	app->config = config;
	/* What people said is for the owner's eyes, whoever made the folder. */
	(void)umask(0077);
	if (config == NULL)
		return app;
	observe_begin(config);
	app->stores = store_pool_new(config, max_stores);
	if (app->stores == NULL) {
		app_free(app);
		return NULL;
	}
	return app;
}

enum err
app_ready(struct app *app)
{
	struct db *db = NULL;
	enum err err = store_lease(app->stores, &db);

	store_return(app->stores, db);
	return err;
}

void
app_leave(struct app *app)
{
	store_pool_leave(app->stores);
}

void
app_free(struct app *app)
{
	if (app == NULL)
		return;
	store_pool_free(app->stores);
	config_free(app->config);
	free(app);
}

const struct config *
app_config(const struct app *app)
{
	return app->config;
}

/* An answer before any API could be asked. */
static void
answer_plainly(struct exchange *x, int status, const char *detail)
{
	struct buf body = BUF_INIT(256);

	buf_printf(&body, "{\"detail\":\"%s\"}", detail);
	(void)response_send_json(&x->response, status, &body);
	buf_release(&body);
}

/* The key demo-key is known to everybody: from this machine only. */
static bool
may_ask(const struct config *config, const struct request *r)
{
	return !config->server.demo || request_is_local(r) ||
	    (r->remote_addr[0] == '\0' && !request_is_passed_on(r));
}

/* Without a configuration: the 500 of the API that owns the path. */
static void
serve_unconfigured(struct exchange *x)
{
	const struct family *family = families[N_FAMILIES - 1];
	size_t i;

	for (i = 0; i < N_FAMILIES; i++)
		if (families[i]->owns != NULL && families[i]->owns(x)) {
			family = families[i];
			break;
		}
	(void)family->failed(x, ERR_CONFIG);
}

static void
serve(struct app *app, struct exchange *x, struct gateway *gateway)
{
	const char *base =
	    app->config == NULL ? "" : app->config->server.base_path;
	enum err err = request_init(&x->request, x->request.arena, gateway,
	    base);

	response_init(&x->response, gateway, x->request.id,
	    x->request.method != NULL &&
		strcmp(x->request.method, "HEAD") == 0);
	if (err != ERR_NONE) {
		answer_plainly(x, err == ERR_INPUT ? 400 : 500,
		    err == ERR_INPUT ? "Bad Request"
				     : "Internal Server Error");
		return;
	}
	if (app->config == NULL) {
		serve_unconfigured(x);
		return;
	}
	if (app->config->server.trusted_proxies.n > 0 &&
	    forwarded_apply(&x->request,
		&app->config->server.trusted_proxies) != ERR_NONE) {
		answer_plainly(x, 500, "Internal Server Error");
		return;
	}
	if (!may_ask(app->config, &x->request)) {
		answer_plainly(x, 403, "The demo answers this machine only");
		return;
	}
	if (!probe_serve(x, &err) && !observe_serve(x, &err))
		err = router_serve(families, N_FAMILIES, x);
	if (err != ERR_NONE && err != ERR_CLIENT_GONE)
		log_error("%s %s: %s", x->request.method,
		    x->route == NULL ? "-" : x->route->pattern,
		    err_text(err));
	if (x->answer != NULL)
		drive_answer(x->answer, gateway);
}

/* An upload is held whole, and twice while room is made for it: a larger
 * max_file needs more than the usual. */
static size_t
request_memory(const struct config *config)
{
	if (config == NULL || config->server.max_file <= USUAL_FILE)
		return REQUEST_MEMORY;
	return REQUEST_MEMORY + 3 * (size_t)config->server.max_file;
}

void
app_serve(struct app *app, struct engine_worker *worker,
    struct gateway *gateway)
{
	struct engine_worker *own = NULL;
	struct arena arena;
	struct exchange x;
	int64_t began_us = clock_monotonic_us();

	arena_init(&arena, request_memory(app->config));
	memset(&x, 0, sizeof(x));
	x.request.arena = &arena;
	x.config = app->config;
	x.stores = app->stores;
	if (worker == NULL && app->config != NULL)
		worker = own = engine_worker_new(app->config);
	x.worker = worker;
	serve(app, &x, gateway);
	if (x.answer != NULL)
		x.answer->ops->release(x.answer);
	observe_end(&x, began_us);
	if (x.response.held)
		durable_reply_hold(&x, gateway);
	if (x.stores != NULL && alive_has_unknown())
		alive_observe(x.stores, clock_monotonic_ms());
	response_release(&x.response);
	arena_release(&arena);
	engine_worker_free(own);
}
