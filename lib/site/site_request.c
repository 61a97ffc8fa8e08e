#include "site/site_request.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "site/site.h"
#include "site/site_reply.h"

/* A code point may come as two escapes of six bytes; and the rest. */
#define BYTES_PER_CHARACTER 12
#define REST_MAX 4096
/* How long a visitor is one whose browser forgets him with the tab. */
#define TAB_HOURS 24

/* "https://my.site:8443/app" -> "my.site:8443"; empty: no such address. */
static struct span
authority(struct span url)
{
	size_t skip = span_starts(url, "https://") ? 8
	    : span_starts(url, "http://")	   ? 7
						   : 0;
	struct span rest = {url.data + skip, url.len - skip};

	return skip == 0 ? SPAN("") : span_cut(&rest, '/');
}

static bool
same_host(struct span a, struct span b)
{
	size_t i;

	if (a.len != b.len || a.len == 0)
		return false;
	for (i = 0; i < a.len; i++)
		if (text_lower(a.data[i]) != text_lower(b.data[i]))
			return false;
	return true;
}

bool
site_request_is_own(const struct exchange *x)
{
	const struct request *r = &x->request;
	const char *fetch_site = request_header(r, "Sec-Fetch-Site");
	const char *origin = request_header(r, "Origin");
	struct span host;

	if (fetch_site != NULL)
		return strcmp(fetch_site, "same-origin") == 0;
	if (origin == NULL)
		return strcmp(r->method, "GET") == 0;
	/* "null" has no authority. */
	host = authority(span_of(origin));
	return same_host(host, span_of(r->host)) ||
	    same_host(host, authority(span_of(x->config->server.public_url)));
}

static bool
refuse(struct exchange *x, enum site_refusal why, enum err *err)
{
	*err = site_refuse(x, why);
	return false;
}

static bool
is_json(const char *content_type)
{
	struct span rest = span_of(content_type);

	return span_is_nocase(span_trim(span_cut(&rest, ';')),
	    "application/json");
}

static bool
read_body(struct exchange *x, struct site_request *r, enum err *err)
{
	size_t max = (size_t)r->site->question_length * BYTES_PER_CHARACTER +
	    REST_MAX;
	struct span text;

	if (!is_json(x->request.content_type))
		return refuse(x, SITE_REFUSED_MEDIA_TYPE, err);
	switch (request_read_body(&x->request, max)) {
	case BODY_READ:
		break;
	case BODY_TOO_BIG:
		return refuse(x, SITE_REFUSED_TOO_BIG, err);
	case BODY_FAILED:
		*err = ERR_MEMORY;
		return false;
	default:
		return refuse(x, SITE_REFUSED_BODY, err);
	}
	*err = pyjson_text(x->request.arena, x->request.body, &text);
	if (*err == ERR_NONE)
		*err = pyjson_decode(x->request.arena, text, NULL, &r->body,
		    NULL);
	if (*err == ERR_MEMORY)
		return false;
	if (*err != ERR_NONE || !pyjson_is_object(r->body))
		return refuse(x, SITE_REFUSED_BODY, err);
	return true;
}

/* Who asks, by his token or as somebody new; and his next token. */
static enum err
find_visitor(struct exchange *x, struct site_request *r)
{
	struct span token = span_of(request_header(&x->request,
	    VISITOR_HEADER));
	int64_t now_s = clock_now_s();
	int64_t hours = r->site->remember_hours > 0 ? r->site->remember_hours
						    : TAB_HOURS;
	char next[VISITOR_TOKEN];
	uint8_t key[SECRET_KEY];
	enum err err = secret_key(x->config, "visitor", key);

	if (err == ERR_NONE && !visitor_read(key, r->site->name, token, now_s,
				   &r->visitor))
		err = visitor_new(&r->visitor);
	if (err != ERR_NONE)
		return err;
	visitor_token(key, r->site->name, &r->visitor, now_s + hours * 3600,
	    next);
	return response_header(&x->response, VISITOR_HEADER, span_of(next));
}

bool
site_request_read(struct exchange *x, struct site_request *r, enum err *err)
{
	memset(r, 0, sizeof(*r));
	*err = ERR_NONE;
	r->site = site_of(x);
	assert(r->site != NULL); /* or the path is not this family's */
	r->bot = site_bot(x->config, r->site);
	if (!site_request_is_own(x))
		return refuse(x, SITE_REFUSED_OTHER_PAGE, err);
	if (strcmp(x->request.method, "POST") == 0 && !read_body(x, r, err))
		return false;
	*err = find_visitor(x, r);
	return *err == ERR_NONE;
}
