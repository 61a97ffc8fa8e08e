/* One call of upstream/upstream.h. */
#include "upstream/embed.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
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

struct embed_call {
	const struct engine_config *engine;
	struct upstream_call *call;
	struct arena *arena;
	size_t n;
	int64_t limit_ms, until_ms; /* until_ms 0: not stepped yet */
	struct buf body, answer;
};

enum err
embed_start(struct upstream *u, const struct engine_config *engine,
    const struct span *texts, size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_call **out)
{
	struct embed_call *e = calloc(1, sizeof(*e));
	struct upstream_post post = {.engine = engine};
	struct endpoint at;
	enum err err;

	*out = NULL;
	if (e == NULL)
		return ERR_MEMORY;
	e->engine = engine;
	e->arena = arena;
	e->n = n;
	e->limit_ms = limit_ms;
	buf_init(&e->body, ANSWER_MAX);
	buf_init(&e->answer, ANSWER_MAX);
	err = endpoint_of(engine, ENDPOINT_EMBEDDINGS, arena, &at);
	put_request(engine, texts, n, &e->body);
	post.url = at.url;
	post.authorization = at.authorization;
	post.body = (struct span){buf_text(&e->body), e->body.len};
	if (err == ERR_NONE)
		err = buf_err(&e->body);
	if (err == ERR_NONE)
		err = upstream_start(u, &post, &e->call);
	if (err != ERR_NONE)
		embed_end(e);
	else
		*out = e;
	return err;
}

/* The call has ended, or its time has. */
static enum err
take_answer(struct embed_call *e, enum err err, struct embed_vector *vectors)
{
	int status = upstream_status(e->call);
	const char *text;

	if (err == ERR_NONE && (status != 200 ||
		upstream_state(e->call) != UPSTREAM_COMPLETE))
		err = ERR_UPSTREAM;
	if (err != ERR_NONE) {
		log_error("knowledge: [engine %s] gave no embeddings: %s, "
			  "status %d", e->engine->name, err_text(err), status);
		return err;
	}
	text = arena_strndup(e->arena, buf_text(&e->answer), e->answer.len);
	if (text == NULL)
		return ERR_MEMORY;
	err = read_answer((struct span){text, e->answer.len}, e->n, e->arena,
	    vectors);
	if (err == ERR_UPSTREAM)
		log_error("knowledge: [engine %s] answered no vectors",
		    e->engine->name);
	return err;
}

bool
embed_step(struct embed_call *e, int64_t now_ms,
    const struct interests *ready, struct embed_vector *vectors,
    enum err *err)
{
	struct span data;

	if (e->until_ms == 0)
		e->until_ms = now_ms + e->limit_ms;
	upstream_step(e->call, now_ms, ready);
	while ((data = upstream_data(e->call)).len > 0) {
		buf_add(&e->answer, data.data, data.len);
		upstream_take(e->call, data.len);
	}
	*err = buf_err(&e->answer);
	if (upstream_state(e->call) == UPSTREAM_RUNNING) {
		if (now_ms < e->until_ms)
			return false;
		*err = ERR_TIMEOUT;
	}
	*err = take_answer(e, *err, vectors);
	return true;
}

void
embed_interests(const struct embed_call *e, struct interests *in)
{
	upstream_interests(e->call, in);
	interests_wake(in, e->until_ms);
}

void
embed_end(struct embed_call *e)
{
	if (e == NULL)
		return;
	upstream_end(e->call);
	buf_release(&e->body);
	buf_release(&e->answer);
	free(e);
}

enum err
embed_texts(const struct engine_config *engine, const struct span *texts,
    size_t n, int64_t limit_ms, struct arena *arena,
    struct embed_vector *vectors)
{
	struct embed_call *e = NULL;
	struct upstream *u = NULL;
	struct interests in;
	int64_t now_ms;
	enum err err = upstream_join(&u);

	if (err == ERR_NONE)
		err = embed_start(u, engine, texts, n, limit_ms, arena, &e);
	interests_none(&in);
	while (e != NULL && !embed_step(e, clock_monotonic_ms(), &in, vectors,
			       &err)) {
		interests_none(&in);
		embed_interests(e, &in);
		now_ms = clock_monotonic_ms();
		(void)poll(in.fds, (nfds_t)in.n,
		    in.wake_ms > now_ms ? (int)(in.wake_ms - now_ms) : 0);
	}
	embed_end(e);
	upstream_leave(u);
	return err;
}
