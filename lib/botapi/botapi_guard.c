/*
 * The order is FastAPI's: it parses the body before it asks for the token.
 * So broken JSON without a token is a 422, and well-formed but invalid JSON
 * without a token a 403.
 */
#include "botapi/botapi_guard.h"

#include <string.h>

#include "auth/caller.h"
#include "botapi/botapi_errors.h"

#define UNREADABLE "There was an error parsing the body"

/* ---- the body ------------------------------------------------------------ */

/* Is a body of this content type parsed?  "application/json",
 * "application/anything+json"; no header counts as JSON. */
static bool
is_json_type(const char *content_type)
{
	struct span rest, main_type, type;

	if (content_type == NULL)
		return true;
	rest = span_of(content_type);
	type = span_trim(span_cut(&rest, ';'));
	main_type = span_cut(&type, '/');
	if (type.data == NULL || memchr(type.data, '/', type.len) != NULL)
		return false;
	if (!span_is_nocase(main_type, "application"))
		return false;
	return span_is_nocase(type, "json") ||
	    (type.len >= 5 &&
	        span_is_nocase((struct span){type.data + type.len - 5, 5},
	            "+json"));
}

static enum err
receive_body(struct exchange *x)
{
	size_t max = (size_t)x->config->server.max_body;

	switch (request_read_body(&x->request, max)) {
	case BODY_READ:
		return ERR_NONE;
	case BODY_TOO_BIG:
		return botapi_refuse(x, 413, "Request Entity Too Large");
	case BODY_CUT:
	case BODY_BAD_LENGTH:
		return botapi_refuse(x, 400, UNREADABLE);
	case BODY_STALLED:
		return botapi_refuse(x, 408, "Request Timeout");
	case BODY_FAILED:
		break;
	}
	return ERR_MEMORY;
}

static enum err
decode_body(struct exchange *x)
{
	struct arena *arena = x->request.arena;
	struct pyjson_error fault;
	struct span text;
	enum err err;

	if (x->request.body.len == 0)
		return ERR_NONE;
	if (!is_json_type(x->request.content_type)) {
		x->json = pyjson_make_string(arena, SPAN("not parsed"));
		return x->json == NULL ? ERR_MEMORY : ERR_NONE;
	}
	err = pyjson_text(arena, x->request.body, &text);
	if (err == ERR_SYNTAX)
		return botapi_refuse(x, 400, UNREADABLE);
	if (err != ERR_NONE)
		return err;
	err = pyjson_decode(arena, text, NULL, &x->json, &fault);
	if (err == ERR_TOO_BIG)
		return botapi_refuse(x, 400, UNREADABLE);
	if (err == ERR_SYNTAX)
		return botapi_refuse_syntax(x, text, &fault);
	return err;
}

/* ---- the token ----------------------------------------------------------- */

static enum err
refuse_key(struct exchange *x)
{
	enum err err = response_header(&x->response, "WWW-Authenticate",
	    SPAN("Bearer"));

	if (err != ERR_NONE)
		return err;
	return botapi_refuse(x, 401, "Invalid API key");
}

/* What the key opens, kept in x->caller.  False when it is out of memory or
 * names a bot that is gone. */
static bool
identify(struct exchange *x, const struct key_config *key)
{
	struct caller *caller = arena_alloc(x->request.arena,
	    sizeof(*caller));

	if (caller == NULL)
		return false;
	caller->key = key;
	if (key->bot != NULL) {
		caller->bot = config_bot_by_slug(x->config, key->bot,
		    strlen(key->bot));
		if (caller->bot == NULL)
			return false;
	}
	x->caller = caller;
	return true;
}

static enum err
check_token(struct exchange *x)
{
	struct span token, scheme;
	const struct key_config *key;

	token = span_trim(span_of(x->request.authorization));
	scheme = span_cut(&token, ' ');
	if (scheme.len == 0 || token.len == 0)
		return botapi_refuse(x, 403, "Not authenticated");
	if (!span_is_nocase(scheme, "bearer"))
		return botapi_refuse(x, 403,
		    "Invalid authentication credentials");
	key = key_find(x->config, token);
	/* A key for datasets opens nothing here. */
	if (key == NULL ||
	    (key->kind != NULL && strcmp(key->kind, "app") != 0))
		return refuse_key(x);
	if (identify(x, key))
		return ERR_NONE;
	return ERR_CONFIG;
}

enum err
botapi_guard(struct exchange *x)
{
	enum err err = ERR_NONE;

	if ((x->route->flags & BOTAPI_BODY) != 0) {
		err = receive_body(x);
		if (err == ERR_NONE)
			err = decode_body(x);
	}
	if (err != ERR_NONE || (x->route->flags & BOTAPI_OPEN) != 0)
		return err;
	return check_token(x);
}
