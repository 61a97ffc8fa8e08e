/*
 * The question is small, so is the answer that is allowed.  Models that think
 * spend such a limit on thoughts, or refuse it: they are asked again without.
 */
#include "app/doctor_engine.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "app/examination.h"
#include "base/arena.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/engine_kind.h"
#include "engine/openai.h"
#include "upstream/embed.h"
#include "upstream/endpoint.h"

#define ANSWER_TOKENS 16
#define LIMIT_MS 60000
#define ARENA_MAX (64U << 20)

/* ---- addresses and keys -------------------------------------------------- */

/* A version in the path, as nearly every server has: /v1, /v1beta/openai. */
static bool
has_version(struct span path)
{
	size_t i;

	for (i = 0; i + 2 < path.len; i++)
		if (path.data[i] == '/' && path.data[i + 1] == 'v' &&
		    text_is_digit(path.data[i + 2]))
			return true;
	return false;
}

static bool
has(struct span s, const char *word)
{
	return s.data != NULL &&
	    memmem(s.data, s.len, word, strlen(word)) != NULL;
}

#define ABOUT "%s:%d: the url of [engine %s] "

static void
check_path(struct examination *e, const struct engine_config *engine,
    struct span url, const char *shown)
{
	static const char *const others[] = {"/completions", "/models",
	    "/responses", "/messages", "/api/chat", "/api/generate"};
	struct span path = url;
	size_t i;

	(void)span_cut(&path, ':');
	if (span_starts(path, "//"))
		path = (struct span){path.data + 2, path.len - 2};
	if (memchr(path.data, '/', path.len) == NULL)
		path.len = 0;
	else
		(void)span_cut(&path, '/');
	if (path.data != NULL && path.len > 0)
		path = (struct span){path.data - 1, path.len + 1};
	if (span_ends(url, ENDPOINT_CHAT)) {
		finding(e, FINDING_NOTE, NULL, NULL, ABOUT "has "
		    ENDPOINT_CHAT " already; it is not put behind it again",
		    e->config->path, engine->line, engine->name);
		return;
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (span_ends(url, others[i])) {
			finding(e, FINDING_NOTE, NULL,
			    "write the address up to /v1",
			    ABOUT "ends in %s, which is another API; asked "
			    "is %s" ENDPOINT_CHAT, e->config->path,
			    engine->line, engine->name, others[i], shown);
			return;
		}
	if (engine->path == NULL && !has_version(path) &&
	    !has(path, "/openai/") && !has(path, "/api/"))
		finding(e, FINDING_NOTE, NULL, "url = .../v1, or path = "
		    "/... when it has another one", ABOUT "has no version "
		    "in it: asked is %s" ENDPOINT_CHAT ", and most servers "
		    "listen at /v1" ENDPOINT_CHAT, e->config->path,
		    engine->line, engine->name, shown);
}

static void
check_query(struct examination *e, const struct engine_config *engine,
    struct span query)
{
	if (has(query, "key=") || has(query, "token="))
		finding(e, FINDING_NOTE, NULL, "key_file = FILE, and "
		    "key_header = NAME when it is no bearer token",
		    ABOUT "has a key in its query; addresses land in logs",
		    e->config->path, engine->line, engine->name);
	else
		finding(e, FINDING_NOTE, NULL, NULL, ABOUT "has a query; it "
		    "is sent behind the path: ...%s?...", e->config->path,
		    engine->line, engine->name,
		    engine->path != NULL ? engine->path : ENDPOINT_CHAT);
}

static void
check_key(struct examination *e, const struct engine_config *engine,
    struct span url)
{
	struct span key = span_of(engine->key);

	if (span_starts(key, "Bearer ") || span_starts(key, "bearer ") ||
	    span_starts(key, "\"") || span_trim(key).len != key.len)
		finding(e, FINDING_WRONG, NULL, "write the key alone",
		    "%s:%d: the key of [engine %s] has more in it than the "
		    "key: \"Bearer \", a quote or a blank", e->config->path,
		    engine->line, engine->name);
	if (key.len > 0 && span_starts(url, "http://") &&
	    !has(url, "//127.") && !has(url, "//localhost") &&
	    !has(url, "//[::1]") && !has(url, "//10.") &&
	    !has(url, "//192.168.") && has(url, "."))
		finding(e, FINDING_NOTE, NULL, "url = https://...",
		    ABOUT "sends its key unencrypted", e->config->path,
		    engine->line, engine->name);
	if (has(url, ".openai.azure.com") && engine->key_header == NULL)
		finding(e, FINDING_NOTE, NULL, "key_header = api-key",
		    ABOUT "is Azure's, which wants its keys in the header "
		    "api-key", e->config->path, engine->line, engine->name);
}

void
check_engine_addresses(struct examination *e)
{
	const struct engine_config *engine;
	char shown[ENDPOINT_SHOWN];
	struct span url, query;
	size_t i;

	for (i = 0; i < e->config->n_engines; i++) {
		engine = &e->config->engines[i];
		if (!engine_is_remote(engine))
			continue;
		query = span_of(engine->url);
		url = span_cut(&query, '?');
		endpoint_show(url, shown);
		while (span_ends(url, "/"))
			url.len--;
		check_path(e, engine, url, shown);
		if (query.data != NULL)
			check_query(e, engine, query);
		check_key(e, engine, url);
	}
}

/* ---- asking -------------------------------------------------------------- */

struct trial {
	struct engine_event last;
	char details[1024]; /* of a fault */
	size_t deltas;
	bool thought;
	int64_t first_ms, total_ms; /* first_ms: negative without a token */
};

static void
drive(struct engine_run *run, struct trial *t)
{
	int64_t start = clock_monotonic_ms(), now = start, left;
	struct interests in;

	interests_none(&in);
	t->first_ms = -1;
	for (;;) {
		run->ops->next(run, now, &in, &t->last);
		now = clock_monotonic_ms();
		if (t->last.kind == ENGINE_DELTA && t->deltas++ == 0)
			t->first_ms = now - start;
		if (t->last.kind == ENGINE_RETRACT)
			t->deltas = 0;
		if (t->last.kind == ENGINE_DELTA ||
		    t->last.kind == ENGINE_RETRACT)
			continue;
		if (t->last.kind != ENGINE_WAIT)
			break;
		interests_none(&in);
		run->ops->interests(run, &in);
		left = in.wake_ms == INTERESTS_NEVER ? LIMIT_MS
						     : in.wake_ms - now;
		(void)poll(in.fds, (nfds_t)in.n, left < 0 ? 0 : (int)left);
		now = clock_monotonic_ms();
	}
	t->total_ms = now - start;
	t->thought = run->hidden_tokens > 0;
	if (t->last.kind == ENGINE_ERROR)
		(void)snprintf(t->details, sizeof(t->details), "%s",
		    t->last.details != NULL ? t->last.details
					    : t->last.message);
}

/* One question; False when it could not even be started. */
static bool
ask_once(const struct config *config, const struct engine_config *engine,
    const char *model, int64_t max_tokens, struct trial *t)
{
	static const struct chat_message prompt[] = {{ROLE_USER,
	    SPAN("Answer with one word: what colour is grass?")}};
	struct bot_config bot = {.slug = "doctor", .model = model,
	    .max_output_tokens = max_tokens};
	struct engine_request request = {.bot = &bot,
	    .question = prompt[0].content,
	    .prompt = prompt,
	    .n_prompt = 1,
	    .quiet = true};
	struct engine_config brief = *engine;
	struct engine_worker *worker = engine_worker_new(config);
	struct engine_run *run = NULL;
	struct arena arena;

	*t = (struct trial){.first_ms = -1};
	brief.retries = 0;
	if (brief.total_timeout_ms > LIMIT_MS)
		brief.total_timeout_ms = LIMIT_MS;
	arena_init(&arena, ARENA_MAX);
	if (worker != NULL && openai_start(&brief, &request, worker, &arena,
		&run) == ERR_NONE) {
		drive(run, t);
		run->ops->free(run);
	}
	engine_worker_free(worker);
	arena_release(&arena);
	return run != NULL;
}

static bool
answered(const struct trial *t)
{
	return t->last.kind == ENGINE_END && t->deltas > 0;
}

/* May it be the limit that it failed for? */
static bool
is_about_limit(const struct trial *t)
{
	return t->last.kind == ENGINE_END ||
	    t->last.fault == FAULT_REFUSED ||
	    t->last.fault == FAULT_MALFORMED;
}

static const char *
how_far(enum engine_fault fault)
{
	switch (fault) {
	case FAULT_NOT_CONFIGURED:
		return "not asked";
	case FAULT_UNREACHABLE:
		return "not reached, or not at work";
	case FAULT_CREDENTIALS:
		return "reached, the key is not accepted";
	case FAULT_ADDRESS:
		return "reached, but nothing is at that address";
	case FAULT_MODEL:
		return "reached, key accepted, the model is not known";
	case FAULT_QUOTA:
		return "reached, key accepted, the quota is used up";
	case FAULT_RATE_LIMIT:
		return "reached, key accepted, too many requests";
	case FAULT_TIMEOUT:
		return "no answer in time";
	default:
		return "reached, but no answer came";
	}
}

/* True when it answers. */
static bool
report_trial(struct examination *e, const struct engine_config *engine,
    const char *model, const struct trial *t)
{
	const struct engine_usage *u = &t->last.usage;

	if (!answered(t)) {
		finding(e, FINDING_NOTE, NULL, NULL, "[engine %s] %s: %s",
		    engine->name, how_far(t->last.fault), t->details[0] != '\0'
			? t->details : "it gave no answer");
		return false;
	}
	finding(e, FINDING_OK, NULL, NULL, "[engine %s] reached, key "
	    "accepted, %s known, first token after %.2f s, all after %.2f s",
	    engine->name, model != NULL ? model : "its model",
	    (double)t->first_ms / 1000, (double)t->total_ms / 1000);
	finding(e, t->last.streamed ? FINDING_OK : FINDING_NOTE, NULL, NULL,
	    t->last.streamed ? "[engine %s] streams"
		: "[engine %s] does not stream: clients see nothing until "
		  "the answer is whole", engine->name);
	if (u->estimated)
		finding(e, FINDING_NOTE, NULL, NULL, "[engine %s] does not "
		    "report usage: tokens are estimated here", engine->name);
	else
		finding(e, FINDING_OK, NULL, NULL, "[engine %s] reports "
		    "usage: %lld and %lld tokens", engine->name,
		    (long long)u->prompt_tokens,
		    (long long)u->completion_tokens);
	if (t->thought)
		finding(e, FINDING_OK, NULL, NULL, "[engine %s] thinks "
		    "aloud; reasoning = %s", engine->name, engine->reasoning);
	return true;
}

static bool
ask_engine(struct examination *e, const struct engine_config *engine,
    const struct bot_config *bot)
{
	const char *model = engine->model != NULL ? engine->model : bot->model;
	struct trial t;

	if (!ask_once(e->config, engine, model, ANSWER_TOKENS, &t) ||
	    (!answered(&t) && is_about_limit(&t)))
		(void)ask_once(e->config, engine, model, 0, &t);
	return report_trial(e, engine, model, &t);
}

static void
ask_embeddings(struct examination *e, const struct knowledge_config *k)
{
	const struct engine_config *engine =
	    config_engine(e->config, k->embedding);
	static const struct span text = SPAN("grass");
	struct embed_vector vector = {.n = 0};
	struct arena arena;
	enum err err;

	arena_init(&arena, ARENA_MAX);
	err = engine == NULL ? ERR_CONFIG
	    : embed_texts(engine, &text, 1, LIMIT_MS / 2, &arena, &vector);
	if (err == ERR_NONE)
		finding(e, FINDING_OK, NULL, NULL, "[engine %s] makes vectors "
		    "of %zu numbers for [knowledge %s]", k->embedding,
		    vector.n, k->name);
	else
		finding(e, FINDING_WRONG, NULL, NULL, "[engine %s] makes no "
		    "vectors for [knowledge %s]: %s", k->embedding, k->name,
		    err_text(err));
	arena_release(&arena);
}

/* An engine is asked once, for the first bot that names it. */
enum verdict { NOT_ASKED, ANSWERS, FAILS };

static enum verdict
verdict_of(struct examination *e, const struct bot_config *bot,
    const char *name, enum verdict *verdicts)
{
	const struct engine_config *engine = config_engine(e->config, name);
	enum verdict *v;

	if (engine == NULL || !engine_is_remote(engine))
		return ANSWERS; /* it is ours */
	v = &verdicts[engine - e->config->engines];
	if (*v == NOT_ASKED)
		*v = ask_engine(e, engine, bot) ? ANSWERS : FAILS;
	return *v;
}

void
check_engine_answers(struct examination *e)
{
	const struct config *c = e->config;
	enum verdict *verdicts;
	struct arena arena;
	size_t i, k, good;

	if (e->no_engine)
		return;
	arena_init(&arena, ARENA_MAX);
	verdicts = arena_array(&arena, c->n_engines + 1, sizeof(*verdicts));
	for (i = 0; verdicts != NULL && i < c->n_bots; i++) {
		const struct bot_config *bot = &c->bots[i];

		for (k = 0, good = 0; k < bot->engines.n; k++)
			good += verdict_of(e, bot, bot->engines.items[k],
			    verdicts) == ANSWERS;
		if (good == 0)
			finding(e, FINDING_WRONG, NULL, NULL,
			    "[bot %s] cannot answer: %s", bot->slug,
			    bot->engines.n == 1 ? "its engine fails"
						: "all its engines fail");
	}
	for (i = 0; i < c->n_knowledge; i++)
		if (c->knowledge[i].embedding != NULL)
			ask_embeddings(e, &c->knowledge[i]);
	arena_release(&arena);
}
