/*
 * Routing.  The tables are short (some dozens of rows), so a walk over them
 * costs less than building anything cleverer at every CGI start.
 */
#include "http/router.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"

#define ALLOW_MAX 128

/* Does the segment fit what stands in braces, such as "" or "uuid"? */
static bool
segment_fits(struct span kind, struct span segment)
{
	if (segment.len == 0)
		return false;
	return !span_is(kind, "uuid") || uuid_is_hyphenated(segment);
}

bool
router_match(const char *pattern, struct span path, struct span captures[4])
{
	struct span rest = span_of(pattern), kind, segment;
	size_t n = 0, i = 0;

	while (rest.len > 0) {
		if (rest.data[0] != '{') {
			if (i == path.len || path.data[i] != rest.data[0])
				return false;
			i++;
			rest.data++;
			rest.len--;
			continue;
		}
		rest.data++;
		rest.len--;
		kind = span_cut(&rest, '}');
		segment = (struct span){path.data + i, 0};
		while (i < path.len && path.data[i] != '/') {
			i++;
			segment.len++;
		}
		if (n == 4 || !segment_fits(kind, segment))
			return false;
		captures[n++] = segment;
	}
	return i == path.len;
}

/* "GET, POST": the methods of every route that has this path. */
static void
allowed(const struct family *f, struct span path, char *allow, size_t size)
{
	struct span captures[4];
	const char *method;
	size_t i, used = 0;
	int n;

	allow[0] = '\0';
	for (i = 0; i < f->n_routes; i++) {
		method = f->routes[i].method;
		if (!router_match(f->routes[i].pattern, path, captures) ||
		    strstr(allow, method) != NULL)
			continue;
		n = snprintf(allow + used, size - used, "%s%s",
		    used > 0 ? ", " : "", method);
		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

/* Does the family know the path?  Sets x->route when the method is right
 * too; then x->captures are those of that route. */
static bool
find_route(const struct family *f, struct exchange *x)
{
	bool known = false;
	size_t i;

	x->route = NULL;
	for (i = 0; i < f->n_routes && x->route == NULL; i++) {
		if (!router_match(f->routes[i].pattern, x->request.path,
		    x->captures))
			continue;
		known = true;
		if (strcmp(f->routes[i].method, x->request.method) == 0)
			x->route = &f->routes[i];
	}
	return known;
}

/* Our own failure: the family's 5xx if nothing was sent yet. */
static enum err
settle(const struct family *f, struct exchange *x, enum err err)
{
	if (err == ERR_NONE || err == ERR_ANSWERED ||
	    err == ERR_CLIENT_GONE || x->response.gone)
		return ERR_NONE;
	log_error("%s %s: %s (request %s)", x->request.method,
	    x->route == NULL ? "unknown path" : x->route->pattern,
	    err_text(err), x->request.id);
	if (x->response.sent)
		return err;
	if (x->answer != NULL) {
		x->answer->ops->release(x->answer);
		x->answer = NULL;
	}
	response_restart(&x->response);
	err = f->failed(x, err);
	return err == ERR_CLIENT_GONE || err == ERR_ANSWERED ? ERR_NONE : err;
}

static enum err
serve_known(const struct family *f, struct exchange *x)
{
	char allow[ALLOW_MAX];
	enum err err = ERR_NONE;

	x->family = f;
	if (f->options != NULL && strcmp(x->request.method, "OPTIONS") == 0 &&
	    f->options(x, &err))
		return settle(f, x, err);
	if (x->route == NULL) {
		allowed(f, x->request.path, allow, sizeof(allow));
		return settle(f, x, f->method_not_allowed(x, allow));
	}
	if (f->guard != NULL)
		err = f->guard(x);
	return settle(f, x, err != ERR_NONE ? err : x->route->handle(x));
}

static enum err
serve_unknown(const struct family *f, struct exchange *x)
{
	enum err err = ERR_NONE;

	x->family = f;
	if (f->options != NULL && strcmp(x->request.method, "OPTIONS") == 0 &&
	    f->options(x, &err))
		return settle(f, x, err);
	return settle(f, x, f->unknown_path(x));
}

enum err
router_serve(const struct family *const *families, size_t n,
    struct exchange *x)
{
	size_t i;

	x->route = NULL;
	for (i = 0; i < n && !x->request.path_refused; i++)
		if (find_route(families[i], x) &&
		    (families[i]->wants == NULL || families[i]->wants(x)))
			return serve_known(families[i], x);
	x->route = NULL;
	for (i = 0; i + 1 < n; i++)
		if (families[i]->owns != NULL && families[i]->owns(x))
			break;
	return serve_unknown(families[i], x);
}
