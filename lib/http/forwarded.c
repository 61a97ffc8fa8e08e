/*
 * Both headers become a list of hops, of which the last few are kept: a
 * client can make a list long at its left end only.
 *
 * A header that breaks the grammar says nothing at all.  Who sends
 * `for=1.1.1.1;by="` wants the proxy's own part to vanish in his quotes.
 */
#include "http/forwarded.h"

#include <string.h>

#define HOPS_MAX 16U

struct hop {
	struct span client, scheme; /* scheme: may be empty */
};

struct hops {
	struct hop items[HOPS_MAX]; /* hop i is at i % HOPS_MAX */
	size_t n;
};

static void
add_hop(struct hops *hops, struct span client, struct span scheme)
{
	hops->items[hops->n++ % HOPS_MAX] = (struct hop){client, scheme};
}

/* ---- the two headers ----------------------------------------------------- */

static void
read_list(struct span text, struct hops *hops)
{
	while (text.data != NULL)
		add_hop(hops, span_trim(span_cut(&text, ',')), SPAN_NONE);
}

static bool
is_token_char(char c)
{
	return text_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Also what an unquoted address has, which many write. */
static bool
is_value_char(char c)
{
	return is_token_char(c) || (c != '\0' && strchr(":[]/", c) != NULL);
}

static void
skip_blanks(struct span *s)
{
	while (s->len > 0 && (s->data[0] == ' ' || s->data[0] == '\t')) {
		s->data++;
		s->len--;
	}
}

static struct span
take(struct span *s, bool (*allowed)(char c))
{
	struct span taken = {s->data, 0};

	while (s->len > 0 && allowed(s->data[0])) {
		s->data++;
		s->len--;
		taken.len++;
	}
	return taken;
}

/* Between quotes nothing is unescaped: an address needs no escapes. */
static bool
take_quoted(struct span *s, struct span *value)
{
	size_t i = 1;

	while (i < s->len && s->data[i] != '"')
		i += s->data[i] == '\\' ? 2 : 1;
	if (i >= s->len)
		return false;
	*value = (struct span){s->data + 1, i - 1};
	s->data += i + 1;
	s->len -= i + 1;
	return true;
}

/* One NAME=VALUE of a hop. */
static bool
take_pair(struct span *s, struct hop *hop)
{
	struct span name = take(s, is_token_char), value;

	if (name.len == 0 || s->len == 0 || s->data[0] != '=')
		return false;
	s->data++;
	s->len--;
	if (s->len > 0 && s->data[0] == '"') {
		if (!take_quoted(s, &value))
			return false;
	} else {
		value = take(s, is_value_char);
		if (value.len == 0)
			return false;
	}
	if (span_is_nocase(name, "for"))
		hop->client = value;
	else if (span_is_nocase(name, "proto"))
		hop->scheme = value;
	return true;
}

/* RFC 7239, 4; false when it is not that. */
static bool
read_forwarded(struct span text, struct hops *hops)
{
	struct hop hop = {SPAN_NONE, SPAN_NONE};
	char end;

	for (;;) {
		skip_blanks(&text);
		if (!take_pair(&text, &hop))
			return false;
		skip_blanks(&text);
		end = text.len == 0 ? ',' : text.data[0];
		if (end != ',' && end != ';')
			return false;
		if (end == ',') {
			add_hop(hops, hop.client, hop.scheme);
			hop = (struct hop){SPAN_NONE, SPAN_NONE};
		}
		if (text.len == 0)
			return true;
		text.data++;
		text.len--;
	}
}

/* ---- whose request it is ------------------------------------------------- */

/* The hop whose client is the first that is no trusted proxy. */
static bool
find_client(const struct hops *hops, const struct net_ranges *trusted,
    struct net_address *client, struct span *scheme)
{
	size_t oldest = hops->n > HOPS_MAX ? hops->n - HOPS_MAX : 0, i;
	bool found = false;

	for (i = hops->n; i > oldest; i--) {
		const struct hop *hop = &hops->items[(i - 1) % HOPS_MAX];
		struct net_address address;

		if (!net_address_parse_port(hop->client, &address) ||
		    address.kind == NET_UNIX)
			break;
		*client = address;
		*scheme = hop->scheme;
		found = true;
		if (!net_ranges_have(trusted, &address))
			break;
	}
	return found;
}

static bool
same(const struct net_address *a, const struct net_address *b)
{
	return a->kind == b->kind &&
	    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* False: the headers name nobody, or not clearly. */
static bool
named_client(const char *list, const char *forwarded,
    const struct net_ranges *trusted, struct net_address *client,
    struct span *scheme)
{
	struct hops by_list = {.n = 0}, by_forwarded = {.n = 0};
	struct span none;
	struct net_address other;

	if (list != NULL) {
		read_list(span_of(list), &by_list);
		if (!find_client(&by_list, trusted, client, &none))
			return false;
	}
	if (forwarded == NULL)
		return list != NULL;
	if (!read_forwarded(span_of(forwarded), &by_forwarded) ||
	    !find_client(&by_forwarded, trusted, &other, scheme))
		return false;
	if (list != NULL && !same(client, &other))
		return false;
	*client = other;
	return true;
}

/*
 * Does a header come more than once?  nginx before 1.23 passes each of a
 * client's lines on as a parameter of its own, lighttpd X_Forwarded_For as
 * X-Forwarded-For: which one is the proxy's cannot be told.
 */
static bool
comes_twice(const struct request *r, const char *variable)
{
	const char *const *all = r->gateway->ops->params(r->gateway);
	size_t len = strlen(variable), n = 0;

	for (; all != NULL && *all != NULL; all++)
		n += strncmp(*all, variable, len) == 0 && (*all)[len] == '=';
	return n > 1;
}

/* A header's value, or NULL when it is absent or empty. */
static const char *
header(const struct request *r, const char *variable)
{
	const char *value = r->gateway->ops->param(r->gateway, variable);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

enum err
forwarded_apply(struct request *r, const struct net_ranges *trusted)
{
	struct net_address peer, client;
	struct span scheme = SPAN_NONE, protos;
	char text[NET_TEXT];

	if (!net_address_parse(span_of(r->remote_addr), &peer) ||
	    !net_ranges_have(trusted, &peer))
		return ERR_NONE;
	r->proxied = true;
	if (!comes_twice(r, "HTTP_X_FORWARDED_FOR") &&
	    !comes_twice(r, "HTTP_FORWARDED") &&
	    named_client(header(r, "HTTP_X_FORWARDED_FOR"),
		header(r, "HTTP_FORWARDED"), trusted, &client, &scheme)) {
		net_address_text(&client, text);
		r->client_addr = arena_strdup(r->arena, text);
		if (r->client_addr == NULL)
			return ERR_MEMORY;
	} else {
		scheme = SPAN_NONE;
	}
	protos = span_of(header(r, "HTTP_X_FORWARDED_PROTO"));
	if (scheme.len == 0)
		scheme = span_trim(span_cut(&protos, ','));
	if (span_is_nocase(scheme, "https"))
		r->scheme = "https";
	else if (span_is_nocase(scheme, "http"))
		r->scheme = "http";
	return ERR_NONE;
}

bool
request_is_passed_on(const struct request *r)
{
	static const char *const signs[] = {"HTTP_X_FORWARDED_FOR",
	    "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST",
	    "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SERVER",
	    "HTTP_X_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_VIA"};
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (header(r, signs[i]) != NULL)
			return true;
	return false;
}

bool
request_is_local(const struct request *r)
{
	struct net_address peer;

	return !r->proxied &&
	    net_address_parse(span_of(r->remote_addr), &peer) &&
	    net_address_is_loopback(&peer) && !request_is_passed_on(r);
}
