/*
 * Reading a request out of CGI meta-variables.  The path comes from
 * REQUEST_URI, which every server passes on raw; PATH_INFO and SCRIPT_NAME
 * are decoded and normalised by each in its own way and serve as fall-backs
 * and to find the mount (mount.h).
 */
#include "http/request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "http/mount.h"
#include "http/urlencoded.h"

#define HEADER_NAME_MAX 128U
#define HOST_MAX 255U
#define BODY_FIRST 16384U
/* However slowly the bytes of a body come, they come within this. */
#define BODY_TIME_MS (120 * 1000)

static const char *
param(const struct request *r, const char *name)
{
	const char *value = r->gateway->ops->param(r->gateway, name);

	return value == NULL ? "" : value;
}

/* A copy that stays; NULL with *failed set when out of memory. */
static const char *
copy(struct request *r, const char *text, bool *failed)
{
	const char *kept = arena_strdup(r->arena, text);

	if (kept == NULL)
		*failed = true;
	return kept;
}

static const char *
copy_or_null(struct request *r, const char *text, bool *failed)
{
	return text[0] == '\0' ? NULL : copy(r, text, failed);
}

static enum err
make_id(char id[33])
{
	unsigned char bytes[16];
	enum err err = random_bytes(bytes, sizeof(bytes));

	if (err != ERR_NONE)
		return err;
	text_hex(bytes, sizeof(bytes), id);
	return ERR_NONE;
}

/* "http://host/path" becomes "/path": a proxy may pass the absolute form. */
static struct span
without_authority(struct span uri)
{
	size_t i = span_starts(uri, "http://") ? 7
	    : span_starts(uri, "https://")     ? 8
					       : 0;

	if (i == 0)
		return uri;
	while (i < uri.len && uri.data[i] != '/' && uri.data[i] != '?')
		i++;
	return (struct span){uri.data + i, uri.len - i};
}

/* A NUL, or a segment "..", takes a path out of what can be routed. */
static bool
refused(struct span path)
{
	struct span rest = path, segment;

	if (path.len > 0 && memchr(path.data, '\0', path.len) != NULL)
		return true;
	while (rest.len > 0) {
		segment = span_cut(&rest, '/');
		if (span_is(segment, ".."))
			return true;
	}
	return false;
}

/* The path when there is no REQUEST_URI. */
static enum err
fallback_path(struct request *r, struct mount_input *in)
{
	char *joined;

	if (in->script_name.len + in->path_info.len == 0)
		return ERR_INPUT;
	joined = arena_printf(r->arena, "%s%s", in->script_name.data,
	    in->path_info.data);
	if (joined == NULL)
		return ERR_MEMORY;
	in->path = span_of(joined);
	return ERR_NONE;
}

/* path, NUL-terminated and beginning with '/'. */
static enum err
keep_path(struct request *r, struct span path)
{
	bool slash = path.len == 0 || path.data[0] != '/';
	char *kept = arena_alloc(r->arena, path.len + 2);

	if (kept == NULL)
		return ERR_MEMORY;
	kept[0] = '/';
	if (path.len > 0)
		memcpy(kept + (slash ? 1 : 0), path.data, path.len);
	r->path = (struct span){kept, path.len + (slash ? 1 : 0)};
	return ERR_NONE;
}

static enum err
read_path(struct request *r, const char *base_path)
{
	bool failed = false;
	struct span uri = span_of(copy(r, param(r, "REQUEST_URI"), &failed));
	struct mount_input in = {
	    .cgi = r->gateway->cgi,
	    .base_path = span_of(base_path),
	    .script_name = span_of(copy(r, param(r, "SCRIPT_NAME"), &failed)),
	    .path_info = span_of(copy(r, param(r, "PATH_INFO"), &failed)),
	};
	struct span path;
	enum err err = ERR_NONE;

	if (failed)
		return ERR_MEMORY;
	if (uri.len > 0) {
		uri = without_authority(uri);
		in.path = span_cut(&uri, '?');
		r->query = uri.data == NULL ? SPAN_NONE : uri;
		in.path = percent_decode(r->arena, in.path, false);
		if (in.path.data == NULL)
			return ERR_MEMORY;
	} else {
		r->query = span_of(copy(r, param(r, "QUERY_STRING"),
		    &failed));
		err = failed ? ERR_MEMORY : fallback_path(r, &in);
		if (err != ERR_NONE)
			return err;
	}
	r->path_refused = refused(in.path);
	mount_split(&in, &r->mount, &path);
	return keep_path(r, path);
}

/* "name", "name:80", "[::1]:80": nothing else is put into a Location. */
static bool
is_host(struct span s)
{
	size_t i = 0, digits = 0;

	if (s.len == 0 || s.len > HOST_MAX)
		return false;
	if (s.data[0] == '[') {
		for (i = 1; i < s.len && (text_is_hex(s.data[i]) ||
		    strchr(":.", s.data[i]) != NULL); i++)
			;
		if (i < 3 || i == s.len || s.data[i] != ']')
			return false;
		i++;
	} else {
		while (i < s.len && (text_is_alnum(s.data[i]) ||
		    strchr("-._~", s.data[i]) != NULL))
			i++;
		if (i == 0)
			return false;
	}
	if (i == s.len)
		return true;
	if (s.data[i++] != ':')
		return false;
	for (; i < s.len && text_is_digit(s.data[i]); i++)
		digits++;
	return i == s.len && digits <= 5;
}

static enum err
read_host(struct request *r)
{
	const char *name = param(r, "HTTP_HOST");
	const char *port = param(r, "SERVER_PORT");
	const char *usual = strcmp(r->scheme, "https") == 0 ? "443" : "80";
	int64_t number;

	if (is_host(span_of(name))) {
		r->host = arena_strdup(r->arena, name);
		return r->host == NULL ? ERR_MEMORY : ERR_NONE;
	}
	name = param(r, "SERVER_NAME");
	if (!is_host(span_of(name)) ||
	    !text_to_int64(span_of(port), 1, 65535, &number) ||
	    strcmp(port, usual) == 0)
		port = "";
	if (!is_host(span_of(name)))
		name = "localhost";
	r->host = arena_printf(r->arena, "%s%s%s", name,
	    port[0] == '\0' ? "" : ":", port);
	return r->host == NULL ? ERR_MEMORY : ERR_NONE;
}

/* Apache hides Authorization from CGI; each way to get it through gives it
 * another name. */
static const char *
authorization(const struct request *r)
{
	static const char *const names[] = {"HTTP_AUTHORIZATION",
	    "REDIRECT_HTTP_AUTHORIZATION",
	    "REDIRECT_REDIRECT_HTTP_AUTHORIZATION"};
	const char *value = "";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && value[0] == '\0';
	     i++)
		value = param(r, names[i]);
	return value;
}

static const char *
scheme(const struct request *r)
{
	struct span https = span_of(param(r, "HTTPS"));

	return span_is_nocase(https, "on") || span_is(https, "1") ||
	    span_is_nocase(span_of(param(r, "REQUEST_SCHEME")), "https")
	    ? "https"
	    : "http";
}

enum err
request_init(struct request *r, struct arena *arena, struct gateway *gateway,
    const char *base_path)
{
	bool failed = false;
	enum err err;

	*r = (struct request){.arena = arena, .gateway = gateway};
	err = make_id(r->id);
	if (err != ERR_NONE)
		return err;
	if (param(r, "REQUEST_METHOD")[0] == '\0')
		return ERR_INPUT;
	r->method = copy(r, param(r, "REQUEST_METHOD"), &failed);
	r->scheme = scheme(r);
	r->authorization = copy_or_null(r, authorization(r), &failed);
	r->content_type = copy_or_null(r, param(r, "CONTENT_TYPE"), &failed);
	r->remote_addr = copy(r, param(r, "REMOTE_ADDR"), &failed);
	r->client_addr = r->remote_addr;
	if (failed)
		return ERR_MEMORY;
	err = read_path(r, base_path);
	if (err == ERR_NONE)
		err = read_host(r);
	return err;
}

const char *
request_header(const struct request *r, const char *name)
{
	char key[HEADER_NAME_MAX] = "HTTP_";
	size_t n = 5, i;
	const char *value;

	if (strcasecmp(name, "Authorization") == 0)
		return r->authorization;
	if (strcasecmp(name, "Content-Type") == 0)
		return r->content_type;
	if (strcasecmp(name, "Content-Length") == 0)
		n = 0;
	for (i = 0; name[i] != '\0'; i++) {
		if (n + 1 >= sizeof(key))
			return NULL;
		key[n++] = name[i] == '-' ? '_' : text_upper(name[i]);
	}
	key[n] = '\0';
	value = r->gateway->ops->param(r->gateway, key);
	return value == NULL ? NULL : arena_strdup(r->arena, value);
}

/* ---- the body ----------------------------------------------------------- */

/* A body that is being read.  Its room grows fourfold, so that a peer that
 * announces much and sends little costs little. */
struct body_reader {
	struct request *r;
	char *data;
	size_t len, room;
	size_t max; /* never more bytes than this */
	int64_t until_ms;
};

static bool
make_room(struct body_reader *b)
{
	size_t room = b->room == 0 ? BODY_FIRST : b->room * 4;
	char *data;

	if (room > b->max)
		room = b->max;
	data = arena_alloc(b->r->arena, room + 1);
	if (data == NULL)
		return false;
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	b->data = data;
	b->room = room;
	return true;
}

/* Reads until `most` bytes or the end; BODY_READ for both. */
static enum body_state
fill(struct body_reader *b)
{
	struct gateway *g = b->r->gateway;
	enum err err;
	size_t got;

	while (b->len < b->max) {
		if (b->len == b->room && !make_room(b))
			return BODY_FAILED;
		err = g->ops->read(g, b->data + b->len, b->room - b->len,
		    &got);
		if (err == ERR_TIMEOUT || clock_monotonic_ms() > b->until_ms)
			return BODY_STALLED;
		if (err != ERR_NONE)
			return BODY_CUT;
		if (got == 0)
			break;
		b->len += got;
	}
	return BODY_READ;
}

/* Digits only; more of them than fit in a number are simply too many. */
static enum body_state
read_length(struct span text, size_t max, size_t *length)
{
	int64_t number;
	size_t i;

	for (i = 0; i < text.len; i++)
		if (!text_is_digit(text.data[i]))
			return BODY_BAD_LENGTH;
	if (!text_to_int64(text, 0, INT64_MAX, &number) ||
	    (uint64_t)number > max)
		return BODY_TOO_BIG;
	*length = (size_t)number;
	return BODY_READ;
}

enum body_state
request_read_body(struct request *r, size_t max)
{
	struct span length = span_of(param(r, "CONTENT_LENGTH"));
	bool announced = length.len > 0;
	struct body_reader b = {.r = r,
	    .until_ms = clock_monotonic_ms() + BODY_TIME_MS};
	enum body_state state;

	r->body = SPAN("");
	if (announced) {
		state = read_length(length, max, &b.max);
		if (state != BODY_READ)
			return state;
	} else if (param(r, "HTTP_TRANSFER_ENCODING")[0] != '\0') {
		/* Apache CGI: a chunked body ends with the input. One byte
		 * beyond the limit tells that there was more. */
		b.max = max == SIZE_MAX ? max : max + 1;
	}
	state = fill(&b);
	if (state != BODY_READ || b.max == 0)
		return state;
	if (b.len > max)
		return BODY_TOO_BIG;
	if (announced && b.len < b.max)
		return BODY_CUT;
	if (b.data != NULL) {
		b.data[b.len] = '\0';
		r->body = (struct span){b.data, b.len};
	}
	return BODY_READ;
}

bool
request_query(const struct request *r, const char *name, struct span *value)
{
	return urlencoded_find(r->query, name, r->arena, value);
}

bool
request_query_next(const struct request *r, struct span *rest,
    const char *name, struct span *value)
{
	return urlencoded_find_next(rest, name, r->arena, value);
}
