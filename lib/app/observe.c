/*
 * The request log is logfmt, one line for each request, without what the
 * client said: no query, no body, no key (only its name), no end user.  It
 * is written when the answer is complete, so it delays nobody.
 */
#include "app/observe.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "config/config.h"
#include "http/forwarded.h"
#include "http/router.h"

#define LINE_MAX_BYTES 1024
#define PAGE_MAX (1U << 20)
#define FILE_NAME "metrics-1"

void
observe_begin(const struct config *config)
{
	char path[4096];

	if (strcmp(config->server.request_log, "syslog") == 0)
		openlog("parlance", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (strcmp(config->server.metrics, "off") == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/" FILE_NAME,
	    config->server.state);
	if (!metrics_open(path))
		log_error("%s cannot be mapped; nothing is counted", path);
}

/* ---- GET /metrics ------------------------------------------------------- */

/* The token of [server] metrics_token; without one, this machine only. */
static bool
may_see(const struct exchange *x)
{
	const char *token = x->config->server.metrics_token;
	struct span given = span_of(x->request.authorization), scheme;

	if (token == NULL || token[0] == '\0')
		return request_is_local(&x->request);
	scheme = span_cut(&given, ' ');
	return span_is_nocase(scheme, "bearer") &&
	    text_equal_constant_time(span_trim(given), span_of(token));
}

bool
observe_serve(struct exchange *x, enum err *err)
{
	struct buf page = BUF_INIT(PAGE_MAX);

	*err = ERR_NONE;
	if (strcmp(x->config->server.metrics, "off") == 0 ||
	    !span_is(x->request.path, "/metrics") ||
	    strcmp(x->request.method, "GET") != 0 || !may_see(x))
		return false;
	metrics_write(&page);
	*err = buf_err(&page);
	response_status(&x->response, 200);
	if (*err == ERR_NONE)
		*err = response_send(&x->response,
		    "text/plain; version=0.0.4",
		    (struct span){buf_text(&page), page.len});
	buf_release(&page);
	return true;
}

/* ---- the end of a request ----------------------------------------------- */

static const char *
api_of(const struct exchange *x)
{
	return x->family == NULL ? "none" : x->family->name;
}

static void
count(const struct exchange *x, int64_t took_us)
{
	enum metrics_api api = METRICS_OTHER;

	if (!metrics_on())
		return;
	if (strcmp(api_of(x), "botapi") == 0)
		api = METRICS_BOTAPI;
	else if (strcmp(api_of(x), "messagesapi") == 0)
		api = METRICS_MESSAGESAPI;
	metrics_request(api, x->response.sent ? x->response.status : 0);
	metrics_observe_us(METRICS_TIME_REQUEST, took_us);
}

/* Methods are the client's words, too: only those that are letters. */
static const char *
method_of(const struct exchange *x)
{
	const char *c = x->request.method;

	if (c == NULL || strlen(c) > 16)
		return "other";
	for (; *c != '\0'; c++)
		if (*c < 'A' || *c > 'Z')
			return "other";
	return x->request.method;
}

static void
write_line(const struct exchange *x, const char *to, int64_t took_us)
{
	char line[LINE_MAX_BYTES];
	int64_t now_us = clock_now_us();
	int n;

	n = snprintf(line, sizeof(line),
	    "time=%lld.%06lld id=%s api=%s method=%s route=\"%s\" status=%d "
	    "bytes=%zu ms=%lld.%03lld key=\"%.64s\" stream=%s%s\n",
	    (long long)(now_us / 1000000), (long long)(now_us % 1000000),
	    x->request.id, api_of(x), method_of(x),
	    x->route == NULL ? "" : x->route->pattern,
	    x->response.sent ? x->response.status : 0,
	    x->response.body_bytes, (long long)(took_us / 1000),
	    (long long)(took_us % 1000),
	    x->caller == NULL ? "" : x->caller->key->name,
	    x->response.stream ? "yes" : "no",
	    x->response.gone ? " client=gone" : "");
	if (n <= 0 || (size_t)n >= sizeof(line))
		return;
	if (strcmp(to, "syslog") == 0)
		syslog(LOG_INFO, "%.*s", n - 1, line);
	else if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere left to say so */
}

void
observe_end(const struct exchange *x, int64_t began_us)
{
	int64_t took_us = clock_monotonic_us() - began_us;

	if (x->config == NULL)
		return;
	count(x, took_us);
	if (strcmp(x->config->server.request_log, "off") != 0)
		write_line(x, x->config->server.request_log, took_us);
}
