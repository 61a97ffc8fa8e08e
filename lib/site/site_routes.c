/*
 * The routes of the chat page.  Below /chat/ only the sites' own paths are
 * this family's, and / only for a browser: POST /chat and everything else
 * stay with the two APIs, whose permissive CORS does not count here.
 */
#include "site/site.h"

#include <string.h>

#include "site/site_handlers.h"
#include "site/site_reply.h"

static const struct route routes[] = {
    {"GET", "/", site_home_get, 0},
    {"HEAD", "/", site_home_get, 0},
    {"GET", "/chat/embed.js", site_embed_get, 0},
    {"HEAD", "/chat/embed.js", site_embed_get, 0},
    {"GET", "/chat/{}", site_page_get, 0},
    {"HEAD", "/chat/{}", site_page_get, 0},
    {"GET", "/chat/{}/messages", site_messages_get, 0},
    {"POST", "/chat/{}/messages", site_messages_post, 0},
    {"DELETE", "/chat/{}/messages", site_messages_delete, 0},
    {"POST", "/chat/{}/feedback", site_feedback_post, 0},
    {"POST", "/chat/{}/stop", site_stop_post, 0},
};

const struct site_config *
site_of(const struct exchange *x)
{
	struct span rest = x->request.path, name;
	size_t i;

	(void)span_cut(&rest, '/');
	if (!span_is(span_cut(&rest, '/'), "chat"))
		return NULL;
	name = span_cut(&rest, '/');
	for (i = 0; i < x->config->n_sites; i++)
		if (span_is(name, x->config->sites[i].name))
			return &x->config->sites[i];
	return NULL;
}

const struct bot_config *
site_bot(const struct config *c, const struct site_config *site)
{
	return config_bot_by_slug(c, site->bot, strlen(site->bot));
}

/* A page for people, or only for programs? */
static bool
is_browser(const struct exchange *x)
{
	struct span rest = span_of(request_header(&x->request, "Accept"));
	struct span item;

	while (rest.data != NULL) {
		item = span_cut(&rest, ',');
		if (span_is_nocase(span_trim(span_cut(&item, ';')),
			"text/html"))
			return true;
	}
	return false;
}

/* Is it this family's?  The sites' addresses are; those of sites that do not
 * exist, and /, for a browser. */
static bool
wants(const struct exchange *x)
{
	struct span path = x->request.path, captures[4];

	if (span_is(path, "/chat/embed.js"))
		return x->config->n_sites > 0;
	if (span_is(path, "/"))
		return is_browser(x) &&
		    (strcmp(x->request.method, "GET") == 0 ||
			strcmp(x->request.method, "HEAD") == 0);
	return site_of(x) != NULL ||
	    (router_match("/chat/{}", path, captures) && is_browser(x));
}

static enum err
method_not_allowed(struct exchange *x, const char *allow)
{
	enum err err = response_header(&x->response, "Allow", span_of(allow));

	return err != ERR_NONE ? err : site_refuse(x, SITE_REFUSED_METHOD);
}

const struct family site_family = {
    .name = "site",
    .routes = routes,
    .n_routes = sizeof(routes) / sizeof(routes[0]),
    .wants = wants,
    .method_not_allowed = method_not_allowed,
    .failed = site_failed,
    .owns = NULL,
    .unknown_path = NULL,
};
