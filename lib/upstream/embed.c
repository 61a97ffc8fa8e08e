/* One call of upstream/upstream.h, waited for with poll(2). */
#include "upstream/embed.h"

#include <math.h>
#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "upstream/endpoint.h"
#include "upstream/upstream.h"
#include "json/jsonout.h"
#include "json/pyjson.h"

#define ANSWER_MAX ((size_t)32 << 20)

static void
put_request(const struct engine_config *engine, const struct span *texts,
    size_t n, struct buf *body)
{
	struct span text;
	size_t i;

	buf_addc(body, '{');
	jsonout_member_cstring(body, "model",
	    engine->model == NULL ? "" : engine->model);
	buf_adds(body, ",\"input\":[");
	for (i = 0; i < n; i++) {
		text = texts[i];
		while (text.len > EMBED_BYTES_MAX)
			text = utf8_prefix(text, utf8_length(text) * 3 / 4);
		jsonout_comma(body);
		jsonout_string(body, text);
	}
	buf_addc(body, ']');
	jsonout_member_cstring(body, "encoding_format", "float");
	buf_addc(body, '}');
}

/* Waits until the call has ended; collects its body. */
static enum err
wait_for(struct upstream_call *call, int64_t limit_ms,
    struct buf *answer)
{
	int64_t end = clock_monotonic_ms() + limit_ms, now;
	struct interests in;
	struct span data;

	interests_none(&in);
	for (;;) {
		now = clock_monotonic_ms();
		upstream_step(call, now, &in);
		while ((data = upstream_data(call)).len > 0) {
			buf_add(answer, data.data, data.len);
			upstream_take(call, data.len);
		}
		if (upstream_state(call) != UPSTREAM_RUNNING)
			return buf_err(answer);
		if (now >= end)
			return ERR_TIMEOUT;
		interests_none(&in);
		upstream_interests(call, &in);
		if (in.wake_ms > end)
			in.wake_ms = end;
		now = clock_monotonic_ms();
		(void)poll(in.fds, (nfds_t)in.n,
		    in.wake_ms > now ? (int)(in.wake_ms - now) : 0);
	}
}

static bool
read_vector(const struct pyjson *list, struct arena *arena,
    struct embed_vector *v)
{
	struct pyjson_iter it = pyjson_iter(list);
	const struct pyjson *value;
	double sum = 0, number;
	size_t i;

	v->n = 0;
	if (!pyjson_is_array(list) || pyjson_count(list) == 0 ||
	    pyjson_count(list) > EMBED_NUMBERS_MAX)
		return false;
	v->numbers = arena_array(arena, pyjson_count(list), sizeof(float));
	if (v->numbers == NULL)
		return false;
	while (pyjson_next(&it, NULL, &value)) {
		number = pyjson_double(value);
		if (!isfinite(number))
			return false;
		v->numbers[v->n++] = (float)number;
		sum += number * number;
	}
	if (sum <= 0)
		return false;
	for (i = 0; i < v->n; i++)
		v->numbers[i] = (float)(v->numbers[i] / sqrt(sum));
	return true;
}

/* {"data":[{"index":0,"embedding":[...]},...]} */
static enum err
read_answer(struct span text, size_t n, struct arena *arena,
    struct embed_vector *vectors)
{
	static const struct pyjson_limits limits = {.depth = 16};
	const struct pyjson *answer, *item;
	struct pyjson_iter it;
	int64_t at;
	size_t i;

	for (i = 0; i < n; i++)
		vectors[i] = (struct embed_vector){.n = 0};
	if (pyjson_decode(arena, text, &limits, &answer, NULL) != ERR_NONE)
		return ERR_UPSTREAM;
	it = pyjson_iter(pyjson_get(answer, "data"));
	for (i = 0; pyjson_next(&it, NULL, &item); i++) {
		if (!pyjson_int64(pyjson_get(item, "index"), &at))
			at = (int64_t)i;
		if (at < 0 || at >= (int64_t)n || !read_vector(
			pyjson_get(item, "embedding"), arena, &vectors[at]))
			return ERR_UPSTREAM;
	}
	for (i = 0; i < n; i++)
		if (vectors[i].n == 0 || vectors[i].n != vectors[0].n)
			return ERR_UPSTREAM;
	return ERR_NONE;
}

static enum err
call_server(const struct upstream_post *post, int64_t limit_ms,
    struct buf *answer)
{
	struct upstream_call *call = NULL;
	struct upstream *u = NULL;
	enum err err = upstream_join(&u);
	int status = 0;

	if (err == ERR_NONE)
		err = upstream_start(u, post, &call);
	if (err == ERR_NONE)
		err = wait_for(call, limit_ms, answer);
	if (err == ERR_NONE) {
		status = upstream_status(call);
		if (upstream_state(call) != UPSTREAM_COMPLETE || status != 200)
			err = ERR_UPSTREAM;
	}
	if (err != ERR_NONE)
		log_error("knowledge: [engine %s] gave no embeddings: %s, "
			  "status %d", post->engine->name, err_text(err),
		    status);
	upstream_end(call);
	upstream_leave(u);
	return err;
}

enum err
embed_texts(const struct engine_config *engine, const struct span *texts,
    size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_vector *vectors)
{
	struct buf body = BUF_INIT(ANSWER_MAX), answer = BUF_INIT(ANSWER_MAX);
	struct upstream_post post = {.url = NULL};
	struct endpoint at;
	enum err err = endpoint_of(engine, ENDPOINT_EMBEDDINGS, arena, &at);
	char *text;

	put_request(engine, texts, n, &body);
	post = (struct upstream_post){
	    .url = at.url,
	    .authorization = at.authorization,
	    .engine = engine,
	    .body = {buf_text(&body), body.len},
	};
	if (err == ERR_NONE)
		err = buf_err(&body);
	if (err == ERR_NONE)
		err = call_server(&post, limit_ms, &answer);
	if (err == ERR_NONE) {
		text = arena_strndup(arena, buf_text(&answer), answer.len);
		err = text == NULL ? ERR_MEMORY
				   : read_answer((struct span){text,
					 answer.len}, n, arena, vectors);
		if (err == ERR_UPSTREAM)
			log_error("knowledge: [engine %s] answered no vectors",
			    engine->name);
	}
	buf_release(&body);
	buf_release(&answer);
	return err;
}
