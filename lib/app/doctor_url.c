/*
 * Sends a probe through the web server and looks at what arrived there (the
 * first event tells) and at when the ticks arrive here.  Every web server
 * hides or holds something back by default; the table names the line that
 * changes it.
 */
#include "app/doctor_url.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "app/examination.h"
#include "app/probe.h"
#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "upstream/upstream.h"
#include "http/sse_reader.h"
#include "json/pyjson.h"

#define WAIT_MS 20000
#define EVENTS_MAX (PROBE_TICKS + 1)

static const struct {
	const char *server;  /* how SERVER_SOFTWARE begins */
	const char *gateway;
	const char *script;  /* how SCRIPT_FILENAME begins, or NULL */
	const char *authorization, *stream;
	const char *place;   /* where the line for authorization stands */
} fixes[] = {
    {"Apache", "cgi", NULL, "CGIPassAuth On",
	"remove SetOutputFilter DEFLATE, or name the program "
	"nph-parlance.cgi",
	"; the line goes into .htaccess (or, where the host refuses it: "
	"SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1)"},
    {"Apache", "fastcgi", "proxy:", "CGIPassAuth On",
	"<Proxy \"fcgi://parlance\" enablereuse=off flushpackets=on "
	"timeout=300>",
	"; the line goes into the <Location> that has SetHandler"},
    {"Apache", "fastcgi", NULL, "CGIPassAuth On",
	"FcgidOutputBufferSize 0",
	"; the line goes into the <Location> that has SetHandler"},
    {"lighttpd", "cgi", NULL,
	"nothing in lighttpd hides it: look at what stands before it",
	"server.stream-response-body = 1", ""},
    {"lighttpd", "fastcgi", NULL,
	"nothing in lighttpd hides it: look at what stands before it",
	"server.stream-response-body = 1", ""},
    {"nginx", "cgi", NULL,
	"remove fastcgi_param HTTP_AUTHORIZATION from the location",
	"fastcgi_buffering off; fastcgi_param NO_BUFFERING 1;", ""},
    {"nginx", "fastcgi", NULL,
	"remove fastcgi_param HTTP_AUTHORIZATION from the location",
	"fastcgi_buffering off;", ""},
    {"", "", NULL, "have the web server pass the header Authorization on",
	"have the web server pass answers on without waiting for their end",
	""},
};

/* What came back. */
struct probe {
	struct arena arena;
	struct sse_reader reader;
	int status;
	enum upstream_state state;
	char reason[256];
	size_t n_events;
	int64_t first_ms, last_ms; /* of the ticks */
	const struct pyjson *told; /* the first event */
};

static void
take_event(struct probe *p, struct span data)
{
	const char *text = arena_strndup(&p->arena, data.data, data.len);
	const struct pyjson *value = NULL;
	struct pyjson_error fault;
	int64_t now = clock_monotonic_ms();

	if (p->n_events == 0 && text != NULL &&
	    pyjson_decode(&p->arena, span_of(text), NULL, &value, &fault) ==
	    ERR_NONE)
		p->told = value;
	if (p->n_events <= 1)
		p->first_ms = now;
	p->last_ms = now;
	p->n_events++;
}

static void
take_data(struct probe *p, struct upstream_call *call)
{
	struct span data = upstream_data(call), rest = data;
	struct sse_event event;
	bool got;

	while (rest.len > 0 && sse_reader_next(&p->reader, &rest, &event,
	    &got) == ERR_NONE)
		if (got && p->n_events < EVENTS_MAX)
			take_event(p, event.data);
	upstream_take(call, data.len);
}

static void
drive(struct probe *p, struct upstream_call *call)
{
	int64_t until = clock_monotonic_ms() + WAIT_MS, now;
	struct interests in;
	bool first = true;

	for (;;) {
		now = clock_monotonic_ms();
		upstream_step(call, now, first ? NULL : &in);
		first = false;
		take_data(p, call);
		p->state = upstream_state(call);
		p->status = upstream_status(call);
		if (p->state != UPSTREAM_RUNNING || now > until)
			break;
		interests_none(&in);
		upstream_interests(call, &in);
		interests_wake(&in, now + 100);
		now = in.wake_ms - now;
		(void)poll(in.fds, (nfds_t)in.n, now < 0 ? 0 : (int)now);
	}
	(void)snprintf(p->reason, sizeof(p->reason), "%s",
	    upstream_reason(call));
}

/* False when it could not even be sent. */
static bool
send_probe(struct probe *p, const struct config *config, const char *url)
{
	static const struct engine_config plain = {.tls_verify = true,
	    .connect_timeout_ms = 10000, .proxy = ""};
	char header[PROBE_TOKEN + sizeof(PROBE_HEADER) + 4];
	char token[PROBE_TOKEN];
	struct upstream_post post = {
	    .authorization = "Authorization: Bearer doctor",
	    .idempotency = header,
	    .body = SPAN("{}"),
	    .engine = &plain,
	};
	struct upstream_call *call = NULL;
	struct upstream *u = NULL;

	post.url = arena_printf(&p->arena, "%s/v1/probe", url);
	if (post.url == NULL || probe_token(config, token) != ERR_NONE ||
	    upstream_join(&u) != ERR_NONE)
		return false;
	(void)snprintf(header, sizeof(header), "%s: %s", PROBE_HEADER,
	    token);
	if (upstream_start(u, &post, &call) == ERR_NONE)
		drive(p, call);
	upstream_end(call);
	upstream_leave(u);
	return call != NULL;
}

/* ---- what it means ------------------------------------------------------ */

static bool
told(const struct probe *p, const char *name, const char *value)
{
	return span_is(pyjson_string(pyjson_get(p->told, name)), value);
}

static size_t
fix_for(const struct probe *p)
{
	struct span server = pyjson_string(pyjson_get(p->told, "server"));
	struct span script = pyjson_string(pyjson_get(p->told, "script"));
	size_t i = 0;

	while (fixes[i].server[0] != '\0' &&
	    !(span_starts(server, fixes[i].server) &&
		told(p, "gateway", fixes[i].gateway) &&
		(fixes[i].script == NULL ||
		    span_starts(script, fixes[i].script))))
		i++;
	return i;
}

static void
judge(struct examination *e, const struct probe *p)
{
	const size_t fix = fix_for(p);
	struct span server = pyjson_string(pyjson_get(p->told, "server"));
	struct span gateway = pyjson_string(pyjson_get(p->told, "gateway"));
	int64_t spread = p->last_ms - p->first_ms;
	bool live = p->n_events == EVENTS_MAX &&
	    spread > PROBE_TICK_MS * (PROBE_TICKS - 1) / 2;

	finding(e, FINDING_OK, "web server", NULL, "%.*s, by %.*s",
	    (int)server.len, server.data, (int)gateway.len, gateway.data);
	if (told(p, "authorization", "present"))
		finding(e, FINDING_OK, "authorization", NULL,
		    "the header arrives");
	else
		finding(e, FINDING_WRONG, "authorization",
		    fixes[fix].authorization,
		    "the header Authorization, which carries the key, does "
		    "not arrive%s", fixes[fix].place);
	if (live)
		finding(e, FINDING_OK, "streams", NULL,
		    "they arrive piece by piece");
	else if (p->n_events == EVENTS_MAX)
		finding(e, FINDING_WRONG, "streams", fixes[fix].stream,
		    "they are held back to their end");
	else
		finding(e, FINDING_WRONG, "streams",
		    "see the web server's error log",
		    "the stream broke off after %zu of %d events",
		    p->n_events, EVENTS_MAX);
}

void
check_url(struct examination *e)
{
	struct probe p = {.status = 0};
	const struct config *c = e->config;
	/* Visitors' streams are worth a look without being asked for. */
	const char *url = e->url != NULL || c->n_sites == 0
	    ? e->url
	    : c->server.public_url;
	size_t len;
	char *bare;

	if (url == NULL)
		return;
	len = strlen(url);

	arena_init(&p.arena, 1U << 20);
	sse_reader_init(&p.reader, SSE_STANDARD, 65536);
	while (len > 0 && url[len - 1] == '/')
		len--;
	bare = arena_strndup(&p.arena, url, len);
	if (bare == NULL || !send_probe(&p, e->config, bare))
		finding(e, FINDING_WRONG, "url",
		    "give the URL as http://HOST or https://HOST/FOLDER; "
		    "asking needs libcurl",
		    "%s cannot be asked", url);
	else if (p.status == 0)
		finding(e, FINDING_WRONG, "url",
		    "start the web server, or correct the URL",
		    "%s: no answer: %s", url, p.reason);
	else if (p.status >= 500 && p.told == NULL)
		finding(e, FINDING_WRONG, "url",
		    "grep -hs parlance: /var/log/*/error*log | tail -n 3",
		    "%s answers with status %d; the web server's error log "
		    "has the reason", url, p.status);
	else if (p.told == NULL)
		finding(e, FINDING_WRONG, "url",
		    "see that the URL leads to this program, and that the "
		    "program reads this configuration (PARLANCE_CONFIG)",
		    "%s answers with status %d, but not this deployment "
		    "(%s)", url, p.status, e->config->path);
	else
		judge(e, &p);
	sse_reader_release(&p.reader);
	arena_release(&p.arena);
}
