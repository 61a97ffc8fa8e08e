/*
 * A site's page is got through the web server, and its head is looked at: a
 * web server that adds or takes a header away decides who may frame it.
 * Whether streams arrive piece by piece, check_url() has found out.
 */
#include "app/doctor_sites.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "app/examination.h"
#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "site/site.h"
#include "site/site_page.h"
#include "upstream/upstream.h"

#define WAIT_MS 20000
#define PAGE_MAX ((size_t)1 << 20)

struct got {
	struct buf reply; /* head and body */
	int status;
	char reason[256];
};

static void
drive(struct upstream_call *call, struct got *g)
{
	int64_t until = clock_monotonic_ms() + WAIT_MS, now;
	struct interests in;
	struct span data;
	bool first = true;

	for (;;) {
		now = clock_monotonic_ms();
		upstream_step(call, now, first ? NULL : &in);
		first = false;
		while ((data = upstream_data(call)).len > 0) {
			buf_add(&g->reply, data.data, data.len);
			upstream_take(call, data.len);
		}
		g->status = upstream_status(call);
		if (upstream_state(call) != UPSTREAM_RUNNING || now > until)
			break;
		interests_none(&in);
		upstream_interests(call, &in);
		interests_wake(&in, now + 100);
		now = in.wake_ms - now;
		(void)poll(in.fds, (nfds_t)in.n, now < 0 ? 0 : (int)now);
	}
	(void)snprintf(g->reason, sizeof(g->reason), "%s",
	    upstream_reason(call));
}

/* False when it could not even be asked. */
static bool
get(const char *url, struct got *g)
{
	static const struct engine_config plain = {.tls_verify = true,
	    .connect_timeout_ms = 10000, .proxy = ""};
	struct upstream_post post = {.url = url, .get = true,
	    .engine = &plain};
	struct upstream_call *call = NULL;
	struct upstream *u = NULL;

	if (upstream_join(&u) != ERR_NONE)
		return false;
	if (upstream_start(u, &post, &call) == ERR_NONE)
		drive(call, g);
	upstream_end(call);
	upstream_leave(u);
	return call != NULL;
}

/* How often a header stands in the reply's head, and its last value. */
static int
count_header(const struct got *g, const char *name, struct span *value)
{
	struct span rest = {buf_text(&g->reply), g->reply.len}, line;
	int n = 0;

	*value = SPAN_NONE;
	while (rest.data != NULL) {
		line = span_trim(span_cut(&rest, '\n'));
		if (line.len == 0)
			break;
		if (!span_is_nocase(span_cut(&line, ':'), name))
			continue;
		*value = span_trim(line);
		n++;
	}
	return n;
}

static void
judge(struct examination *e, const struct site_config *site, const char *url,
    const struct got *g)
{
	struct buf wanted = BUF_INIT(8192);
	struct span policy, frames;
	int n = count_header(g, "Content-Security-Policy", &policy);

	site_page_policy(&wanted, site);
	if (g->status != 200)
		finding(e, FINDING_WRONG, "site", "see that the web server "
		    "leads /chat/ to this program, and that the program "
		    "reads this configuration (PARLANCE_CONFIG)",
		    "%s answers with status %d", url, g->status);
	else if (n == 0)
		finding(e, FINDING_WRONG, "site", "have the web server pass "
		    "Content-Security-Policy on",
		    "%s comes without its policy: any page may frame it",
		    url);
	else if (n > 1 || !span_is(policy, buf_text(&wanted)))
		finding(e, FINDING_WRONG, "site", "leave "
		    "Content-Security-Policy of /chat/ to this program",
		    "%s comes with another policy than the program's", url);
	else if (count_header(g, "X-Frame-Options", &frames) > 0)
		finding(e, FINDING_WRONG, "site", "leave X-Frame-Options out "
		    "for /chat/",
		    "%s comes with X-Frame-Options: %.*s, so that other "
		    "pages may not show it", url, (int)frames.len,
		    frames.data);
	else
		finding(e, FINDING_OK, "site", NULL,
		    "%s answers; %zu further origins may embed it", url,
		    site->origins.n);
	buf_release(&wanted);
}

static void
check_site(struct examination *e, const struct site_config *site,
    const char *base, struct arena *arena)
{
	struct got g = {.reply = BUF_INIT(PAGE_MAX)};
	size_t len = strlen(base);
	const char *url;

	while (len > 0 && base[len - 1] == '/')
		len--;
	url = arena_printf(arena, "%.*s/chat/%s", (int)len, base, site->name);
	if (url == NULL || !get(url, &g))
		finding(e, FINDING_NOTE, "site", NULL,
		    "%s cannot be asked (that needs libcurl)", site->name);
	else if (g.status == 0)
		finding(e, FINDING_WRONG, "site", "start the web server, or "
		    "correct public_url in [server]",
		    "%s: no answer: %s", url, g.reason);
	else
		judge(e, site, url, &g);
	buf_release(&g.reply);
}

void
check_sites(struct examination *e)
{
	const struct config *c = e->config;
	const char *base = e->url != NULL ? e->url : c->server.public_url;
	struct arena arena;
	size_t i;

	arena_init(&arena, 1U << 20);
	for (i = 0; i < c->n_sites; i++) {
		if (site_bot(c, &c->sites[i]) == NULL)
			finding(e, FINDING_NOTE, "site", NULL,
			    "[site %s] is closed: its bot is switched off",
			    c->sites[i].name);
		if (base != NULL)
			check_site(e, &c->sites[i], base, &arena);
		else
			finding(e, FINDING_NOTE, "site", NULL,
			    "[site %s] is not asked for: [server] has no "
			    "public_url", c->sites[i].name);
	}
	arena_release(&arena);
}
