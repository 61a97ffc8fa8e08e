/* What the three kinds of target share. */
#include "target.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "match/mem.h"

struct target *
target_open(struct arena *a, const char *spec, const char **why)
{
	static const struct target_kind *const kinds[] = {&target_cgi,
	    &target_fcgi, &target_http};
	struct target *target = mem_new(a, sizeof(*target));
	size_t i, len;

	*why = "a target is http://..., https://..., cgi:PROGRAM or "
	       "fcgi:SOCKET, fcgi:HOST:PORT, fcgi:PROGRAM";
	target->spec = spec;
	for (i = 0; i < 3; i++) {
		len = strlen(kinds[i]->prefix);
		if (strncmp(spec, kinds[i]->prefix, len) != 0)
			continue;
		target->kind = kinds[i];
		target->rest = kinds[i] == &target_http ? spec : spec + len;
		*why = kinds[i]->open(a, target);
		return *why == NULL ? target : NULL;
	}
	return NULL;
}

void
target_close(struct target *target)
{
	if (target != NULL)
		target->kind->close(target);
}

void
connection_open(struct connection *c, struct target *target)
{
	c->target = target;
	c->state = target->kind->connect(target);
}

void
connection_close(struct connection *c)
{
	c->target->kind->disconnect(c->state);
}

void
connection_send(struct arena *a, struct connection *c,
    const struct wire_request *request, struct reply *reply)
{
	*reply = (struct reply){.failure = NULL};
	c->target->kind->send(a, c->target, c->state, request, reply);
}

void
growing_init(struct growing *g, struct arena *a,
    const struct wire_request *request)
{
	*g = (struct growing){.arena = a, .begun_us = clock_monotonic_us(),
	    .watcher = request->watcher};
	buf_init(&g->text, REPLY_MAX);
}

bool
growing_add(struct growing *g, const void *data, size_t len)
{
	buf_add(&g->text, data, len);
	if (buf_err(&g->text) != ERR_NONE)
		return false;
	g->pieces = mem_grow(g->pieces, g->piece_count, sizeof(*g->pieces));
	g->pieces[g->piece_count].end = g->text.len;
	g->pieces[g->piece_count++].us = clock_monotonic_us() - g->begun_us;
	if (g->watcher != NULL)
		g->watcher->seen(g->watcher->ctx,
		    (struct span){g->text.data, g->text.len},
		    clock_monotonic_us() - g->begun_us);
	return true;
}

void
growing_end(struct growing *g, struct reply *reply)
{
	reply->us = clock_monotonic_us() - g->begun_us;
	reply->body = mem_span(g->arena,
	    (struct span){buf_text(&g->text), g->text.len});
	reply->pieces = mem_array(g->arena, g->piece_count,
	    sizeof(*reply->pieces));
	if (g->piece_count > 0)
		memcpy(reply->pieces, g->pieces,
		    g->piece_count * sizeof(*g->pieces));
	reply->piece_count = g->piece_count;
	buf_release(&g->text);
	free(g->pieces);
	*g = (struct growing){.arena = g->arena};
}

/* ---- CGI variables (RFC 3875 4.1) --------------------------------------- */

static char *
header_variable(struct arena *a, const struct header *h)
{
	char *text, *c;

	if (span_is_nocase(h->name, "Content-Type"))
		return mem_printf(a, "CONTENT_TYPE=%s", h->value.data);
	if (span_is_nocase(h->name, "Content-Length"))
		return NULL; /* ours counts */
	text = mem_printf(a, "HTTP_%s=%s", h->name.data, h->value.data);
	for (c = text; *c != '='; c++)
		*c = *c == '-' ? '_' : text_upper(*c);
	return text;
}

static char *
decoded(struct arena *a, struct span path)
{
	char *out = mem_new(a, path.len + 1);
	size_t i, n = 0;

	for (i = 0; i < path.len; i++) {
		if (path.data[i] == '%' && i + 2 < path.len &&
		    text_is_hex(path.data[i + 1]) &&
		    text_is_hex(path.data[i + 2])) {
			out[n++] = (char)(text_hex_value(path.data[i + 1]) *
				16 + text_hex_value(path.data[i + 2]));
			i += 2;
		} else {
			out[n++] = path.data[i];
		}
	}
	out[n] = '\0';
	return out;
}

char **
cgi_variables(struct arena *a, const struct wire_request *request,
    const char *program, size_t *count)
{
	static const char *const constant[] = {"GATEWAY_INTERFACE=CGI/1.1",
	    "SERVER_PROTOCOL=HTTP/1.1", "SERVER_SOFTWARE=chatconf",
	    "SERVER_NAME=localhost", "SERVER_PORT=80",
	    "REMOTE_ADDR=127.0.0.1", "REQUEST_SCHEME=http", "SCRIPT_NAME=",
	    "DOCUMENT_ROOT=/"};
	size_t i, n = 0, fixed = sizeof(constant) / sizeof(*constant);
	char **out = mem_array(a, fixed + request->header_count + 10,
	    sizeof(*out));
	struct span query = span_of(request->path), path;

	path = span_cut(&query, '?');
	for (i = 0; i < fixed; i++)
		out[n++] = mem_strdup(a, constant[i]);
	out[n++] = mem_printf(a, "REQUEST_METHOD=%s", request->method);
	out[n++] = mem_printf(a, "REQUEST_URI=%s", request->path);
	out[n++] = mem_printf(a, "PATH_INFO=%s", decoded(a, path));
	out[n++] = mem_printf(a, "QUERY_STRING=%s",
	    query.data == NULL ? "" : query.data);
	out[n++] = mem_printf(a, "SCRIPT_FILENAME=%s", program);
	if (request->body.data != NULL)
		out[n++] = mem_printf(a, "CONTENT_LENGTH=%zu",
		    request->body.len);
	if (wire_request_header(request, "Host").data == NULL)
		out[n++] = mem_strdup(a, "HTTP_HOST=localhost");
	for (i = 0; i < request->header_count; i++) {
		out[n] = header_variable(a, &request->headers[i]);
		n += out[n] != NULL;
	}
	out[n] = NULL;
	*count = n;
	return out;
}

/* ---- for the shell ------------------------------------------------------ */

void
spawn_attributes(posix_spawnattr_t *attr, short flags)
{
	sigset_t none, pipe_only;

	posix_spawnattr_init(attr);
	sigemptyset(&none);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &pipe_only);
	posix_spawnattr_setflags(attr, (short)(flags |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
}

char *
shell_quote(struct arena *a, struct span text)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	bool plain = text.len > 0;
	size_t i;

	for (i = 0; i < text.len && plain; i++)
		plain = text_is_alnum(text.data[i]) ||
		    (text.data[i] != '\0' &&
			strchr("_-./:=,@%+", text.data[i]) != NULL);
	if (plain)
		return must(arena_strndup(a, text.data, text.len));
	buf_addc(&b, '\'');
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			buf_adds(&b, "'\\''");
		else
			buf_addc(&b, text.data[i]);
	}
	buf_addc(&b, '\'');
	return (char *)(uintptr_t)mem_take(a, &b).data;
}

char *
shell_print(struct arena *a, struct span bytes)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	buf_adds(&b, "printf '");
	for (i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		if (c == '%')
			buf_adds(&b, "%%");
		else if (c == '\\' || c == '\'' || c < 0x20 || c >= 0x7F)
			buf_printf(&b, "\\%03o", c);
		else
			buf_addc(&b, (char)c);
	}
	buf_addc(&b, '\'');
	return (char *)(uintptr_t)mem_take(a, &b).data;
}
