/*
 * The program behind the gateways: serves one request after the other.  The
 * app is read-only after app_new (but for its store pool, which locks), so
 * that worker threads share it.
 */
#ifndef PARLANCE_APP_H
#define PARLANCE_APP_H

#include "config/config.h"
#include "engine/engine.h"
#include "http/gateway.h"

struct app;

/*
 * An app over a configuration, which it takes over and frees.  config may be
 * NULL when it could not be read: then every request gets its API's 500.
 * max_stores: database connections at the most.  NULL: out of memory (the
 * configuration is freed).
 */
struct app *app_new(struct config *config, int max_stores);
/* Can the database be opened?  Brings it up to date.  ERR_NONE, or as
 * store_lease(), which logs the reason. */
enum err app_ready(struct app *app) __attribute__((warn_unused_result));
/* When no request is being served any more. NULL is fine. */
void app_free(struct app *app);
/* Instead, in a process of one request that ends now: what others need is
 * done, nothing is freed. */
void app_leave(struct app *app);
/* Its configuration, or NULL. */
const struct config *app_config(const struct app *app);

/*
 * Serves one whole request: reads it, routes it, waits with its answer until
 * that is written and recorded.  worker belongs to the calling thread (may
 * be NULL: then one is made for this request alone).
 */
void app_serve(struct app *app, struct engine_worker *worker,
    struct gateway *gateway);

#define PARLANCE_VERSION "0.1.0"

#endif
