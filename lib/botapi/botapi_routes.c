/*
 * The family: its routes, and what it does with paths and methods that it
 * does not know (contracts/chat.md 1 to 3).
 */
#include "botapi/botapi_routes.h"

#include <string.h>

#include "botapi/botapi.h"
#include "botapi/botapi_errors.h"
#include "botapi/botapi_guard.h"
#include "config/config.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct route routes[] = {
    {"POST", "/v1/chat", chat_post, BOTAPI_BODY},
    {"POST", "/chat", chat_post, BOTAPI_BODY},
    {"GET", "/v1/bots", bots_get, 0},
    {"GET", "/bots", bots_get, 0},
    {"POST", "/v1/user/usage-statistics", usage_statistics_post, BOTAPI_BODY},
    {"GET", "/health-check", health_get, BOTAPI_OPEN},
};

static enum err
method_not_allowed(struct exchange *x, const char *allow)
{
	enum err err = response_header(&x->response, "Allow", span_of(allow));

	if (err != ERR_NONE)
		return err;
	return botapi_refuse(x, 405, "Method Not Allowed");
}

/* The path without its trailing slashes; empty when it had none. */
static struct span
unslashed(struct span path)
{
	size_t len = path.len;

	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	return path.len == len ? SPAN("") : path;
}

static bool
is_known(struct span path)
{
	size_t i;

	for (i = 0; i < N(routes); i++)
		if (span_is(path, routes[i].pattern))
			return true;
	return false;
}

/* The rest of a URL, bytes that may not stand there percent-encoded. */
static void
add_quoted(struct buf *out, struct span text)
{
	static const char safe[] = "-._~:/%#?=@[]!$&'()*+,;";
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (text_is_alnum(c) || (c != '\0' && strchr(safe, c) != NULL))
			buf_addc(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned char)c);
	}
}

static enum err
redirect(struct exchange *x, struct span path)
{
	const struct request *r = &x->request;
	struct buf url = BUF_INIT(16384);
	enum err err;

	if (x->config->server.public_url != NULL) {
		buf_adds(&url, x->config->server.public_url);
	} else {
		buf_printf(&url, "%s://%s", r->scheme, r->host);
		add_quoted(&url, r->mount);
	}
	buf_add(&url, path.data, path.len);
	if (r->query.len > 0) {
		buf_addc(&url, '?');
		add_quoted(&url, r->query);
	}
	err = buf_err(&url);
	if (err == ERR_NONE)
		err = response_header(&x->response, "Location",
		    buf_span(&url));
	buf_release(&url);
	if (err != ERR_NONE)
		return err;
	response_status(&x->response, 307);
	return response_send(&x->response, NULL, SPAN(""));
}

static enum err
unknown_path(struct exchange *x)
{
	struct span path = unslashed(x->request.path);

	if (!x->request.path_refused && is_known(path))
		return redirect(x, path);
	return botapi_refuse(x, 404, "Not Found");
}

static bool
owns(const struct exchange *x)
{
	return is_known(x->request.path) ||
	    is_known(unslashed(x->request.path));
}

const struct family botapi_family = {
    .name = "botapi",
    .routes = routes,
    .n_routes = N(routes),
    .guard = botapi_guard,
    .method_not_allowed = method_not_allowed,
    .failed = botapi_failed,
    .owns = owns,
    .unknown_path = unknown_path,
};
