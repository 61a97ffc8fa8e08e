/* An address is base, path and query; each is only put together here. */
#include "upstream/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "config/engine_kind.h"

static const char *
find_key(const struct engine_config *e)
{
	const char *key = e->key;

	if (key == NULL && e->key_env != NULL) {
		key = getenv(e->key_env);
		if (key == NULL)
			log_error("engine %s: %s is not set in the "
				  "environment", e->name, e->key_env);
	}
	return key;
}

/* The usual path behind the base; another usual one is taken away. */
static struct span
cut_base(struct span base, const char **path)
{
	static const char *const usual[] = {ENDPOINT_CHAT,
	    ENDPOINT_EMBEDDINGS};
	size_t i;

	while (span_ends(base, "/"))
		base.len--;
	for (i = 0; i < 2; i++) {
		if (!span_ends(base, usual[i]))
			continue;
		if (strcmp(usual[i], *path) == 0)
			*path = "";
		else
			base.len -= strlen(usual[i]);
		break;
	}
	return base;
}

static const char *
make_url(const struct engine_config *e, const char *usual, struct arena *arena)
{
	struct span url = span_of(e->url), query, path;

	url = span_cut(&url, '#');
	query = url;
	url = span_cut(&query, '?');
	if (e->path != NULL && e->path[0] != '\0') {
		while (span_ends(url, "/"))
			url.len--;
		usual = e->path;
	} else {
		url = cut_base(url, &usual);
	}
	path = span_of(usual);
	return arena_printf(arena, "%.*s%s%.*s%s%.*s", (int)url.len, url.data,
	    path.len > 0 && path.data[0] != '/' ? "/" : "", (int)path.len,
	    path.data, query.len == 0 ? ""
		: memchr(path.data, '?', path.len) != NULL ? "&" : "?",
	    (int)query.len, query.len == 0 ? "" : query.data);
}

static bool
is_bearer(const struct engine_config *e)
{
	return e->key_header == NULL || e->key_header[0] == '\0' ||
	    span_is_nocase(span_of(e->key_header), "Authorization");
}

enum err
endpoint_of(const struct engine_config *e, const char *usual,
    struct arena *arena, struct endpoint *out)
{
	struct span url = span_of(e->url);

	*out = (struct endpoint){.key = find_key(e)};
	if (!engine_is_remote(e) ||
	    !(span_starts(url, "http://") || span_starts(url, "https://")) ||
	    (e->key_env != NULL && e->key == NULL && out->key == NULL) ||
	    text_breaks_line(span_of(out->key))) {
		log_error("engine %s: it cannot be asked: %s", e->name,
		    !engine_is_remote(e)
			? "it is of another kind than openai"
			: out->key == NULL && e->key_env != NULL
			? "its key is not set"
			: text_breaks_line(span_of(out->key))
			? "its key is not one line"
			: "its url begins with neither http:// nor https://");
		return ERR_CONFIG;
	}
	out->url = make_url(e, usual, arena);
	if (out->key != NULL && out->key[0] != '\0')
		out->authorization = is_bearer(e)
		    ? arena_printf(arena, "Authorization: Bearer %s", out->key)
		    : arena_printf(arena, "%s: %s", e->key_header, out->key);
	if (out->url == NULL || (out->key != NULL && out->key[0] != '\0' &&
	    out->authorization == NULL))
		return ERR_MEMORY;
	return ERR_NONE;
}

void
endpoint_show(struct span url, char out[ENDPOINT_SHOWN])
{
	struct span rest = url, shown;
	const char *user, *scheme;
	size_t front = 0;

	shown = span_cut(&rest, '#');
	rest = shown;
	shown = span_cut(&rest, '?');
	scheme = memmem(shown.data, shown.len, "://", 3);
	if (scheme != NULL)
		front = (size_t)(scheme + 3 - shown.data);
	/* user:password@ ends before the path. */
	rest = (struct span){shown.data + front, shown.len - front};
	rest = span_cut(&rest, '/');
	user = memrchr(rest.data, '@', rest.len);
	(void)snprintf(out, ENDPOINT_SHOWN, "%.*s%.*s", (int)front, shown.data,
	    user == NULL ? (int)(shown.len - front)
			 : (int)(shown.data + shown.len - user - 1),
	    user == NULL ? shown.data + front : user + 1);
}
