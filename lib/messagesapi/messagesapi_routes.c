/*
 * The routes of the messages API, its guard (Authorization -> key -> app)
 * and its answers to paths and methods that it does not have.  Every path is
 * served with and without /v1.
 */
#include "messagesapi/messagesapi.h"

#include <string.h>

#include "messagesapi/handlers.h"
#include "messagesapi/reply.h"

#define ROUTE(method, path, handle, flags)                                     \
	{method, path, handle, flags}, {method, "/v1" path, handle, flags}

static const struct route routes[] = {
    {"GET", "/", welcome_get, ROUTE_OPEN},
    {"GET", "/v1/", welcome_get, ROUTE_OPEN},
    ROUTE("POST", "/chat-messages", chat_messages_post, 0),
    ROUTE("POST", "/chat-messages/{}/stop", chat_messages_stop, 0),
    ROUTE("GET", "/messages", messages_get, 0),
    ROUTE("POST", "/messages/{uuid}/feedbacks", feedback_post, 0),
    ROUTE("GET", "/messages/{uuid}/suggested", suggested_get, 0),
    ROUTE("GET", "/conversations", conversations_get, 0),
    ROUTE("DELETE", "/conversations/{uuid}", conversation_delete, 0),
    ROUTE("POST", "/conversations/{uuid}/name", conversation_name_post, 0),
    ROUTE("GET", "/conversations/{uuid}/variables", variables_get, 0),
    ROUTE("PUT", "/conversations/{uuid}/variables/{uuid}", variable_put, 0),
    ROUTE("PATCH", "/conversations/{uuid}/variables/{uuid}", variable_put, 0),
    ROUTE("GET", "/parameters", parameters_get, 0),
    ROUTE("GET", "/info", info_get, 0),
    ROUTE("GET", "/meta", meta_get, 0),
    ROUTE("GET", "/site", site_get, 0),
    ROUTE("GET", "/app/feedbacks", app_feedbacks_get, 0),
    ROUTE("POST", "/files/upload", files_upload, 0),
    ROUTE("GET", "/files/{uuid}/preview", file_preview, 0),
    ROUTE("GET", "/apps/annotations", annotations_get, 0),
    ROUTE("POST", "/apps/annotations", annotations_post, 0),
    ROUTE("PUT", "/apps/annotations/{uuid}", annotation_put, 0),
    ROUTE("DELETE", "/apps/annotations/{uuid}", annotation_delete, 0),
    ROUTE("POST", "/apps/annotation-reply/{}", annotation_reply_post, 0),
    ROUTE("GET", "/apps/annotation-reply/{}/status/{uuid}",
	annotation_reply_status, 0),
    ROUTE("GET", "/end-users/{uuid}", end_user_get, 0),
    ROUTE("POST", "/completion-messages", completion_post, 0),
    ROUTE("POST", "/completion-messages/{}/stop", completion_post, 0),
    ROUTE("POST", "/workflows/run", workflow_post, 0),
    ROUTE("GET", "/datasets", datasets_get, ROUTE_DATASET),
    ROUTE("POST", "/datasets", datasets_post, ROUTE_DATASET),
    ROUTE("GET", "/datasets/{uuid}", dataset_get, ROUTE_DATASET),
    ROUTE("DELETE", "/datasets/{uuid}", dataset_delete, ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/retrieve", dataset_retrieve,
	ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/hit-testing", dataset_retrieve,
	ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/document/create-by-text",
	document_by_text_post, ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/document/create_by_text",
	document_by_text_post, ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/document/create-by-file",
	document_by_file_post, ROUTE_DATASET),
    ROUTE("POST", "/datasets/{uuid}/document/create_by_file",
	document_by_file_post, ROUTE_DATASET),
    ROUTE("GET", "/datasets/{uuid}/documents", documents_get, ROUTE_DATASET),
    ROUTE("DELETE", "/datasets/{uuid}/documents/{uuid}", document_delete,
	ROUTE_DATASET),
    ROUTE("GET", "/datasets/{uuid}/documents/{}/indexing-status",
	indexing_status_get, ROUTE_DATASET),
    ROUTE("GET", "/datasets/{uuid}/documents/{uuid}/segments", segments_get,
	ROUTE_DATASET),
    ROUTE("POST", "/audio-to-text", audio_to_text_post, 0),
    ROUTE("POST", "/text-to-audio", text_to_audio_post, 0),
};

/* First segments below which an unknown path is this API's to answer. */
static const char *const owned[] = {
    "app", "apps", "audio-to-text", "chat-messages", "completion-messages",
    "conversations", "datasets", "end-users", "files", "info", "messages",
    "meta", "parameters", "site", "text-to-audio", "workflows",
};

const struct app_caller *
messagesapi_caller(const struct exchange *x)
{
	return (const struct app_caller *)(const void *)x->caller;
}

void
messagesapi_tenant(const struct exchange *x, char id[UUID_TEXT])
{
	uuid_from_name("parlance tenant", span_of(x->config->server.name), id);
}

/* Finds the token; ERR_ANSWERED: it is refused. */
static enum err
read_token(struct exchange *x, struct span *token)
{
	struct span header = span_trim(span_of(x->request.authorization));
	struct span scheme = header;
	size_t n = 0;

	while (n < header.len && !text_is_blank(header.data[n]))
		n++;
	if (n == header.len)
		return reply_error(x, REPLY_NO_AUTHORIZATION);
	scheme.len = n;
	if (!span_is_nocase(scheme, "bearer"))
		return reply_error(x, REPLY_OTHER_SCHEME);
	*token = span_trim((struct span){header.data + n, header.len - n});
	return ERR_NONE;
}

/* The bot that a key serves: its own, else the first; NULL: there is none. */
static const struct bot_config *
bot_of_key(const struct config *config, const struct key_config *key)
{
	size_t i;

	for (i = 0; i < config->n_bots; i++)
		if (key->bot == NULL ||
		    strcmp(key->bot, config->bots[i].slug) == 0)
			return &config->bots[i];
	return NULL;
}

/* May the app be used?  ERR_ANSWERED: no. */
static enum err
check_app(struct exchange *x, const struct bot_config *bot)
{
	if (bot == NULL)
		return reply_error(x, REPLY_APP_GONE);
	if (!bot->enabled)
		return reply_error(x, REPLY_APP_ABNORMAL);
	if (!bot->api_enabled)
		return reply_error(x, REPLY_APP_API_OFF);
	return ERR_NONE;
}

/* The id of a key's view of a bot. */
static bool
make_app_id(struct exchange *x, struct app_caller *caller)
{
	const char *name = arena_printf(x->request.arena, "%s %s",
	    caller->caller.bot->uid, caller->caller.key->name);

	if (name == NULL)
		return false;
	uuid_from_name("parlance app", span_of(name), caller->app_id);
	return true;
}

static enum err
guard(struct exchange *x)
{
	struct app_caller *caller;
	struct span token;
	bool dataset = (x->route->flags & ROUTE_DATASET) != 0;
	enum err err;

	reply_headers(x);
	if ((x->route->flags & ROUTE_OPEN) != 0)
		return ERR_NONE;
	err = read_token(x, &token);
	if (err != ERR_NONE)
		return err;
	caller = arena_alloc(x->request.arena, sizeof(*caller));
	if (caller == NULL)
		return ERR_MEMORY;
	caller->caller.key = key_find(x->config, token);
	if (caller->caller.key == NULL ||
	    (strcmp(caller->caller.key->kind, "dataset") == 0) != dataset)
		return reply_error(x, REPLY_BAD_TOKEN);
	x->caller = &caller->caller;
	if (dataset)
		return ERR_NONE;
	caller->caller.bot = bot_of_key(x->config, caller->caller.key);
	err = check_app(x, caller->caller.bot);
	if (err != ERR_NONE)
		return err;
	return make_app_id(x, caller) ? ERR_NONE : ERR_MEMORY;
}

static enum err
method_not_allowed(struct exchange *x, const char *allow)
{
	reply_headers(x);
	(void)response_header(&x->response, "Allow", span_of(allow));
	return reply_error(x, REPLY_METHOD);
}

static bool
owns(const struct exchange *x)
{
	struct span path = x->request.path, segment;
	size_t i;

	(void)span_cut(&path, '/');
	segment = span_cut(&path, '/');
	if (span_is(segment, "v1"))
		segment = span_cut(&path, '/');
	for (i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		if (span_is(segment, owned[i]))
			return true;
	return false;
}

static enum err
unknown_path(struct exchange *x)
{
	reply_headers(x);
	return reply_error(x, REPLY_UNKNOWN_PATH);
}

/* Every origin may ask, with these headers and methods. */
static bool
options(struct exchange *x, enum err *err)
{
	static const char *const headers[][2] = {
	    {"Access-Control-Allow-Headers",
		"Content-Type, Authorization, X-App-Code"},
	    {"Access-Control-Allow-Methods",
		"GET, PUT, POST, DELETE, OPTIONS, PATCH"},
	    {"Access-Control-Max-Age", "600"},
	    {"Allow", "GET, PUT, POST, DELETE, OPTIONS, PATCH"},
	};
	size_t i;

	reply_headers(x);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)response_header(&x->response, headers[i][0],
		    span_of(headers[i][1]));
	response_status(&x->response, 200);
	*err = response_send(&x->response, "text/html; charset=utf-8",
	    SPAN(""));
	return true;
}

const struct family messagesapi_family = {
    .name = "messagesapi",
    .routes = routes,
    .n_routes = sizeof(routes) / sizeof(routes[0]),
    .guard = guard,
    .method_not_allowed = method_not_allowed,
    .failed = reply_failure,
    .owns = owns,
    .unknown_path = unknown_path,
    .options = options,
};
