/*
 * For tests: a whole deployment in a temporary folder, asked in memory
 * through the router.  api_deployment_test.c; linked into the unit tests
 * only.
 */
#ifndef PARLANCE_API_DEPLOYMENT_H
#define PARLANCE_API_DEPLOYMENT_H

#include "base/arena.h"
#include "http/gateway_memory.h"
#include "json/pyjson.h"
#include "store/store.h"

/* Keys of the deployment: bound to bot "sky"; to none; to "sky" as well; to
 * the bots of these names; to nothing that is there; of kind dataset. */
#define KEY_SKY "sky-key"
#define KEY_FREE "free-key"
#define KEY_SKY2 "sky2-key"
#define KEY_FORM "form-key"
#define KEY_CAP "cap-key"
#define KEY_FILED "filed-key"
#define KEY_BROKEN "broken-key"
#define KEY_OFF "off-key"
#define KEY_API_OFF "api-off-key"
#define KEY_DATASET "dataset-key"

/* Checked fixtures. */
void deployment_open(void);
void deployment_close(void);

extern const struct config *deployment_config;
extern struct store_pool *deployment_stores;
extern struct arena deployment_arena;
extern const char *deployment_folder;

/* The last answer. */
extern struct gateway_memory answered;
/* Writes after which the client of the next request is gone; 0: never. */
extern size_t deployment_gone_after;
/* Bytes of a request's arena; 0: plenty. */
extern size_t deployment_memory;

/* From here, *commits counts each transaction that writes, on all of the
 * store's connections. */
void deployment_count_commits(int *commits);

/* Asks; body NULL: none.  Gives the status (0: the request did not even fit
 * into deployment_memory); the body, if it is JSON, can then be looked at
 * with at(). */
int ask(const char *key, const char *method, const char *path,
    const char *body);
/* The same without a body, with a whole Authorization header (NULL: none). */
int ask_authorized(const char *authorization, const char *method,
    const char *path);
/* The same with a content type and bytes of one's own. */
int ask_typed(const char *key, const char *method, const char *path,
    const char *content_type, struct span body);
/* POST /v1/chat-messages with these members besides user "u" and inputs {};
 * members begin with a comma. */
int chat(const char *key, const char *query, const char *members);

/* A value of the last answer's JSON: "data.0.id"; NULL when absent. */
const struct pyjson *at(const char *path);
/* Its text, number or keyword; "(none)" when absent. */
const char *text_at(const char *path);
/* The JSON of the n-th "data:" event of the last answer becomes what at()
 * looks at; false when there are fewer. */
bool event(size_t n);
size_t count_of(const char *needle); /* in the last body */

/* Checks status, code and message of the last answer. */
void ck_error(int status, int expected, const char *code,
    const char *message);

#endif
