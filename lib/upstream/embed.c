/* One call of upstream/upstream.h. */
#include "upstream/embed.h"

#include <math.h>
#include <nettle/base64.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "upstream/endpoint.h"
#include "upstream/openai_words.h"
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

/* Scales it to the length 1; false when there is nothing to scale. */
static bool
normalize(struct embed_vector *v)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (!isfinite(v->numbers[i]))
			return false;
		sum += (double)v->numbers[i] * v->numbers[i];
	}
	if (sum <= 0 || !isfinite(sum))
		return false;
	for (i = 0; i < v->n; i++)
		v->numbers[i] = (float)(v->numbers[i] / sqrt(sum));
	return true;
}

/* Some answer base64 whatever encoding_format was: little-endian floats. */
static bool
read_base64(struct span text, struct arena *arena, struct embed_vector *v)
{
	struct base64_decode_ctx ctx;
	uint8_t *bytes;
	uint32_t bits;
	size_t n, i;

	if (text.len == 0 ||
	    text.len > BASE64_ENCODE_RAW_LENGTH(EMBED_NUMBERS_MAX * 4))
		return false;
	bytes = arena_alloc(arena, BASE64_DECODE_LENGTH(text.len));
	v->numbers = arena_array(arena, text.len, sizeof(float));
	if (bytes == NULL || v->numbers == NULL)
		return false;
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &n, bytes, text.len, text.data) ||
	    !base64_decode_final(&ctx) || n % 4 != 0)
		return false;
	v->n = n / 4;
	for (i = 0; i < v->n; i++) {
		bits = (uint32_t)bytes[4 * i] |
		    (uint32_t)bytes[4 * i + 1] << 8 |
		    (uint32_t)bytes[4 * i + 2] << 16 |
		    (uint32_t)bytes[4 * i + 3] << 24;
		memcpy(&v->numbers[i], &bits, sizeof(bits));
	}
	return true;
}

static bool
read_vector(const struct pyjson *list, struct arena *arena,
    struct embed_vector *v)
{
	struct pyjson_iter it = pyjson_iter(list);
	const struct pyjson *value;

	v->n = 0;
	if (pyjson_is_string(list))
		return read_base64(pyjson_string(list), arena, v) &&
		    normalize(v);
	if (!pyjson_is_array(list) || pyjson_count(list) == 0 ||
	    pyjson_count(list) > EMBED_NUMBERS_MAX)
		return false;
	v->numbers = arena_array(arena, pyjson_count(list), sizeof(float));
	if (v->numbers == NULL)
		return false;
	while (pyjson_next(&it, NULL, &value))
		v->numbers[v->n++] = (float)pyjson_double(value);
	return normalize(v);
}

/* What is wrong with the answer, for the log; NULL: nothing. */
static const char *
read_data(const struct pyjson *data, size_t n, struct arena *arena,
    struct embed_vector *vectors)
{
	struct pyjson_iter it = pyjson_iter(data);
	const struct pyjson *item;
	int64_t at;
	size_t i;

	for (i = 0; i < n; i++)
		vectors[i] = (struct embed_vector){.n = 0};
	for (i = 0; pyjson_next(&it, NULL, &item); i++) {
		if (!pyjson_int64(pyjson_get(item, "index"), &at))
			at = (int64_t)i;
		if (at < 0 || at >= (int64_t)n)
			return "it has more vectors than texts were sent";
		if (vectors[at].n > 0)
			return "it has two vectors for one text";
		if (!read_vector(pyjson_get(item, "embedding"), arena,
			&vectors[at]))
			return "a vector is not to be used: no numbers, all "
			       "zero, or too many";
	}
	if (i == 0)
		return "it has no vectors";
	for (i = 0; i < n; i++) {
		if (vectors[i].n == 0)
			return "it has fewer vectors than texts were sent";
		if (vectors[i].n != vectors[0].n)
			return "its vectors differ in length";
	}
	return NULL;
}

/* {"data":[{"index":0,"embedding":[...]},...]}, or an error, with any
 * status. */
static enum err
read_answer(const char *key, int status, struct span text, size_t n,
    struct arena *arena, struct embed_vector *vectors, const char **wrong,
    char words[WORDS_LOG_MAX])
{
	static const struct pyjson_limits limits = {.depth = 16};
	const struct pyjson *answer = NULL;
	struct openai_words found = {.message = SPAN_NONE};
	enum err err = pyjson_decode(arena, text, &limits, &answer, NULL);

	words[0] = '\0';
	if (err == ERR_MEMORY)
		return err;
	if (err == ERR_NONE && status / 100 == 2 &&
	    !openai_words_given(pyjson_get(answer, "error"))) {
		*wrong = read_data(
		    pyjson_get(answer, "data"), n, arena, vectors);
		if (*wrong == NULL)
			return ERR_NONE;
	} else {
		*wrong = status / 100 != 2 ? "it is refused"
		    : err == ERR_NONE	   ? "it is an error"
					   : "it is no JSON";
	}
	if (err == ERR_NONE)
		openai_words_find(answer, &found);
	openai_words_log(err == ERR_NONE ? found.message : text, key,
	    SPAN_NONE, words);
	return ERR_UPSTREAM;
}

struct embed_call {
	const struct engine_config *engine;
	struct upstream_call *call;
	struct endpoint at;
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
	err = endpoint_of(engine, ENDPOINT_EMBEDDINGS, arena, &e->at);
	put_request(engine, texts, n, &e->body);
	post.url = e->at.url;
	post.authorization = e->at.authorization;
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
	char words[WORDS_LOG_MAX], shown[ENDPOINT_SHOWN];
	const char *text, *wrong = NULL;

	endpoint_show(span_of(e->at.url), shown);
	if (err == ERR_NONE && upstream_state(e->call) != UPSTREAM_COMPLETE)
		err = ERR_UPSTREAM;
	if (err != ERR_NONE) {
		log_error("engine %s: %s: no embeddings: %s",
		    e->engine->name, shown, err == ERR_UPSTREAM
			? upstream_reason(e->call) : err_text(err));
		return err;
	}
	text = arena_strndup(e->arena, buf_text(&e->answer), e->answer.len);
	if (text == NULL)
		return ERR_MEMORY;
	err = read_answer(e->at.key, status,
	    (struct span){text, e->answer.len}, e->n, e->arena, vectors,
	    &wrong, words);
	if (wrong != NULL)
		log_error("engine %s: %s: no embeddings: %s (status %d)%s%s%s",
		    e->engine->name, shown, wrong, status,
		    words[0] != '\0' ? ": \"" : "", words,
		    words[0] != '\0' ? "\"" : "");
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
