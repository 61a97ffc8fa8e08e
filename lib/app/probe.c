/*
 * Answering a probe: one event that tells what the web server passed on,
 * then ticks.  Nothing is read or written in the store.
 */
#include "app/probe.h"

#include <fcntl.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "json/jsonout.h"

#define VALID_S 60

struct probe_answer {
	struct answer answer;
	struct exchange *x;
	int left;
	int64_t next_ms;
};

static enum err
hash_file(const char *path, uint8_t digest[SHA256_DIGEST_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct sha256_ctx hash;
	uint8_t bytes[4096];
	ssize_t n;

	if (fd < 0)
		return ERR_IO;
	sha256_init(&hash);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sha256_update(&hash, (size_t)n, bytes);
	(void)close(fd);
	if (n < 0)
		return ERR_IO;
	sha256_digest(&hash, SHA256_DIGEST_SIZE, digest);
	return ERR_NONE;
}

static enum err
token_of(const struct config *config, int64_t period, char out[PROBE_TOKEN])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx hmac;
	char text[32];
	enum err err = hash_file(config->path, digest);
	int n;

	if (err != ERR_NONE)
		return err;
	n = snprintf(text, sizeof(text), "probe %lld", (long long)period);
	hmac_sha256_set_key(&hmac, sizeof(digest), digest);
	hmac_sha256_update(&hmac, (size_t)n, (const uint8_t *)text);
	hmac_sha256_digest(&hmac, sizeof(digest), digest);
	text_hex(digest, sizeof(digest), out);
	return ERR_NONE;
}

enum err
probe_token(const struct config *config, char out[PROBE_TOKEN])
{
	return token_of(config, clock_now_s() / VALID_S, out);
}

static bool
is_probe(const struct exchange *x)
{
	struct span sent = span_of(request_header(&x->request, PROBE_HEADER));
	char token[PROBE_TOKEN];
	int64_t period;

	if (sent.len != PROBE_TOKEN - 1)
		return false;
	for (period = clock_now_s() / VALID_S; period > 0 &&
	     period >= clock_now_s() / VALID_S - 1; period--)
		if (token_of(x->config, period, token) == ERR_NONE &&
		    text_equal_constant_time(sent, span_of(token)))
			return true;
	return false;
}

static enum err
write_event(struct probe_answer *p, const struct buf *event)
{
	enum err err = buf_err(event);

	if (err == ERR_NONE)
		err = response_write(&p->x->response, event->data,
		    event->len);
	return err;
}

static struct span
param(const struct exchange *x, const char *name)
{
	struct gateway *g = x->request.gateway;

	return span_of(g->ops->param(g, name));
}

/* What arrived here; the names are doctor's. */
static enum err
write_first(struct probe_answer *p)
{
	struct buf event = BUF_INIT(16384);
	const struct exchange *x = p->x;
	enum err err;

	buf_adds(&event, "data: {");
	jsonout_member_cstring(&event, "gateway",
	    x->request.gateway->cgi ? "cgi" : "fastcgi");
	buf_addc(&event, ',');
	jsonout_member_cstring(&event, "authorization",
	    x->request.authorization == NULL ? "absent" : "present");
	buf_addc(&event, ',');
	jsonout_member(&event, "server", param(x, "SERVER_SOFTWARE"));
	buf_addc(&event, ',');
	jsonout_member(&event, "script", param(x, "SCRIPT_FILENAME"));
	buf_addc(&event, ',');
	jsonout_member(&event, "mount", x->request.mount);
	buf_addc(&event, ',');
	jsonout_member(&event, "path", x->request.path);
	buf_adds(&event, "}\n\n");
	err = write_event(p, &event);
	buf_release(&event);
	return err;
}

static enum answer_state
step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	struct probe_answer *p = (struct probe_answer *)a;
	struct buf event = BUF_INIT(64);

	(void)ready;
	while (p->left > 0 && now_ms >= p->next_ms) {
		p->left--;
		p->next_ms += PROBE_TICK_MS;
		buf_reset(&event);
		buf_printf(&event, "data: {\"left\":%d}\n\n", p->left);
		if (write_event(p, &event) != ERR_NONE)
			p->left = 0;
	}
	buf_release(&event);
	return p->left > 0 ? ANSWER_WAIT : ANSWER_DONE;
}

static void
interests(struct answer *a, struct interests *in)
{
	interests_wake(in, ((struct probe_answer *)a)->next_ms);
}

static void
client_gone(struct answer *a)
{
	((struct probe_answer *)a)->left = 0;
}

static void
release(struct answer *a)
{
	(void)a; /* it is in the request's arena */
}

bool
probe_serve(struct exchange *x, enum err *err)
{
	static const struct answer_ops ops = {.step = step,
	    .interests = interests,
	    .client_gone = client_gone,
	    .release = release};
	struct probe_answer *p;

	*err = ERR_NONE;
	if (!is_probe(x))
		return false;
	p = arena_alloc(x->request.arena, sizeof(*p));
	if (p == NULL) {
		*err = ERR_MEMORY;
		return true;
	}
	p->x = x;
	p->left = PROBE_TICKS;
	p->next_ms = clock_monotonic_ms() + PROBE_TICK_MS;
	answer_init(&p->answer, &ops);
	response_status(&x->response, 200);
	*err = response_begin_stream(&x->response, "text/event-stream");
	if (*err == ERR_NONE)
		*err = write_first(p);
	if (*err == ERR_NONE)
		x->answer = &p->answer;
	return true;
}
