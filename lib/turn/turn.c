/*
 * The turn's steps: check for changed knowledge, get the question's vectors,
 * find passages, start the bot's first engine, hand its deltas on, and go to
 * the next engine when one fails before its first delta.  The answer is
 * collected as it goes by, so that whatever ends the turn, what was said is
 * known.
 */
#include "turn/turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/words.h"
#include "chat/tokens.h"
#include "config/config.h"
#include "config/engine_kind.h"
#include "knowledge/knowledge.h"
#include "store/segment_hits.h"
#include "turn/budget.h"
#include "turn/engine_kinds.h"
#include "turn/prompt.h"

#define ANSWER_MAX_BYTES (16U << 20)
enum phase {
	PHASE_CHECK,    /* for changed files: work */
	PHASE_EMBED,    /* the question's vectors: waits */
	PHASE_SEARCH,   /* passages, prompt, an engine of ours: work */
	PHASE_PREPARED, /* what it needs is known; nobody was asked */
	PHASE_ENTER,    /* an engine of ours takes over: work */
	PHASE_ANSWER,
	PHASE_OVER
};

struct turn {
	struct turn_setup setup;
	struct engine_request request;
	struct engine_run *run;
	size_t engine;             /* which of the bot's engines */
	struct buf answer;
	struct word_limit words;
	struct turn_result result;
	int64_t started_us;
	int64_t limit_ms;          /* when it has run for too long */
	enum phase phase;
	struct knowledge_vectors vectors;
	size_t n_embedded;         /* of them */
	struct embed_call *embed;  /* of the next one */
	enum err failed;           /* ours, in the search */
	bool stopped;
	bool enough;               /* max_words were said, or all tokens */
	bool held;                 /* the engine, to what is allowed */
	struct budget budget;
};

/* Passages are a help, not a condition: without them there is an answer. */
static void
find_passages(struct turn *t)
{
	const struct turn_setup *s = &t->setup;
	struct knowledge_found found;
	enum err err;

	if (s->question.len == 0)
		return;
	err = knowledge_find(s->config, s->bot, s->question, s->history,
	    s->n_history, (size_t)s->bot->top_k, &t->vectors, s->arena,
	    &found);
	if (err == ERR_STORE_CORRUPT) {
		knowledge_check(s->config, s->bot); /* it is built anew */
		err = knowledge_find(s->config, s->bot, s->question,
		    s->history, s->n_history, (size_t)s->bot->top_k,
		    &t->vectors, s->arena, &found);
	}
	if (err != ERR_NONE) {
		log_error("knowledge of bot %s: %s", s->bot->slug,
		    err_text(err));
		return;
	}
	t->request.passages = found.passages;
	t->request.n_passages = found.n;
	t->request.query = found.query;
}

/* What we put in front of the caller's words: a system message that is none
 * of the caller's. */
static void
count_context(struct turn *t)
{
	const struct chat_message *first = t->request.prompt;
	size_t i;

	if (t->request.n_prompt == 0 || first->role != ROLE_SYSTEM)
		return;
	for (i = 0; i < t->setup.n_history; i++)
		if (first->content.data == t->setup.history[i].content.data)
			return;
	t->result.context_words = words_count(first->content);
	t->result.context_tokens = tokens_count(first->content);
}

enum err
turn_start(const struct turn_setup *setup, struct turn **out)
{
	struct turn *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return ERR_MEMORY;
	t->setup = *setup;
	t->started_us = clock_monotonic_us();
	buf_init(&t->answer, ANSWER_MAX_BYTES);
	t->result.first_token_s = -1;
	t->request = (struct engine_request){
	    .config = setup->config,
	    .bot = setup->bot,
	    .question = setup->question,
	    .history = setup->history,
	    .n_history = setup->n_history,
	    .files = setup->files,
	    .n_files = setup->n_files,
	    .language = setup->language != NULL && setup->language[0] != '\0'
		? setup->language
		: setup->bot->language,
	    .max_words = setup->max_words > 0 ? setup->max_words
					      : setup->bot->max_words,
	    .user = setup->user,
	};
	*out = t;
	return ERR_NONE;
}

static void
leave_engine(struct turn *t)
{
	embed_end(t->embed);
	t->embed = NULL;
	if (t->run != NULL) {
		t->budget.hidden = t->run->hidden_tokens;
		t->run->ops->free(t->run);
	}
	t->run = NULL;
}

/* One of the bot's engines. */
static const struct engine_config *
engine_at(const struct turn *t, size_t i)
{
	return config_engine(t->setup.config, t->setup.bot->engines.items[i]);
}

static enum err
enter_engine(struct turn *t)
{
	const struct turn_setup *s = &t->setup;

	return engine_kinds_start(engine_at(t, t->engine), &t->request,
	    s->worker, s->arena, &t->run);
}

/* ---- what may block ------------------------------------------------------ */

/* A search reads; this comes before it. */
static void
check(struct turn *t)
{
	const struct turn_setup *s = &t->setup;

	if (s->question.len > 0) {
		knowledge_check(s->config, s->bot);
		knowledge_engines(s->config, s->bot, s->arena, &t->vectors);
	}
	t->phase = t->vectors.n > 0 ? PHASE_EMBED : PHASE_SEARCH;
}

static enum err
search(struct turn *t)
{
	struct engine_request *r = &t->request;
	enum err err;

	find_passages(t);
	err = prompt_build(&t->setup, r, t->setup.arena);
	if (err != ERR_NONE)
		return err;
	t->result.passages = r->passages;
	t->result.n_passages = r->n_passages;
	t->words.max = r->max_words;
	count_context(t);
	return ERR_NONE;
}

void
turn_work(struct turn *t)
{
	if (t->phase == PHASE_CHECK) {
		check(t);
		if (t->phase == PHASE_EMBED)
			return;
	}
	if (t->phase == PHASE_SEARCH) {
		t->failed = search(t);
		t->phase = PHASE_PREPARED;
		if (t->failed != ERR_NONE || t->setup.bot->engines.n == 0 ||
		    engine_is_remote(engine_at(t, 0)))
			return;
	} else {
		assert(t->phase == PHASE_ENTER);
		t->phase = PHASE_ANSWER;
	}
	/* One that fails to start is asked again, and says so then. */
	if (enter_engine(t) != ERR_NONE)
		t->run = NULL;
}

bool
turn_prepared(const struct turn *t)
{
	return t->phase >= PHASE_PREPARED && t->failed == ERR_NONE;
}

void
turn_need(const struct turn *t, struct turn_need *need)
{
	budget_need(t->setup.config, &t->request, t->run, need);
}

void
turn_allow(struct turn *t, int64_t tokens)
{
	t->budget.allowed = tokens;
}

/* ---- the question's vectors ---------------------------------------------- */

/* False: it waits.  A vector that cannot be had leaves the words. */
static bool
embed(struct turn *t, int64_t now_ms, const struct interests *ready)
{
	const struct turn_setup *s = &t->setup;
	struct upstream *u;
	enum err err;
	size_t i;

	for (; (i = t->n_embedded) < t->vectors.n; t->n_embedded++) {
		if (t->embed == NULL &&
		    (engine_worker_upstream(s->worker, &u) != ERR_NONE ||
			embed_start(u, t->vectors.items[i].engine,
			    &s->question, 1, KNOWLEDGE_EMBED_MS, s->arena,
			    &t->embed) != ERR_NONE))
			continue;
		if (!embed_step(t->embed, now_ms, ready,
			&t->vectors.items[i].vector, &err))
			return false;
		if (err != ERR_NONE)
			t->vectors.items[i].vector.n = 0;
		embed_end(t->embed);
		t->embed = NULL;
		ready = NULL;
	}
	t->phase = PHASE_SEARCH;
	return true;
}

/* ---- events -------------------------------------------------------------- */

static struct span
said(const struct turn *t)
{
	return (struct span){buf_text(&t->answer), t->answer.len};
}

/* Makes the result final. */
static void
finish(struct turn *t, const struct engine_usage *usage)
{
	struct engine_usage counted;
	struct turn_result *r = &t->result;

	r->answer = said(t);
	if (usage == NULL) {
		budget_estimate(&t->budget, &t->request, said(t), &counted);
		usage = &counted;
	}
	if (pricing_apply(&t->setup.bot->price, usage->prompt_tokens,
		usage->completion_tokens, &r->usage) != ERR_NONE) {
		log_error("prices of bot %s do not fit", t->setup.bot->slug);
		if (pricing_apply(NULL, usage->prompt_tokens,
			usage->completion_tokens, &r->usage) != ERR_NONE)
			r->usage = (struct usage){0};
	}
	r->usage_estimated = usage->estimated;
	r->spent_tokens =
	    t->budget.spent + usage->prompt_tokens + usage->completion_tokens;
	r->latency_s =
	    (double)(clock_monotonic_us() - t->started_us) / 1e6;
	r->usage.latency_s = r->latency_s;
	metrics_add(METRICS_PROMPT_TOKENS, (uint64_t)usage->prompt_tokens);
	metrics_add(METRICS_ANSWER_TOKENS, (uint64_t)usage->completion_tokens);
	r->stopped = t->stopped;
	t->phase = PHASE_OVER;
	leave_engine(t);
}

static void
end_with_error(struct turn *t, enum engine_fault fault, const char *message,
    struct turn_event *event)
{
	/* The engine's words go with the engine. */
	message = arena_strdup(t->setup.arena, message);
	*event = (struct turn_event){.kind = TURN_ERROR, .fault = fault,
	    .message = message != NULL ? message
				       : engine_fault_text(fault)};
	finish(t, NULL);
	t->result.spent_tokens = t->budget.spent;
}

/* The engine failed. True when another one takes over. */
static bool
fall_back(struct turn *t, const struct engine_event *e)
{
	const struct config_list *names = &t->setup.bot->engines;
	const struct engine_config *next;

	if (t->answer.len > 0 || t->engine + 1 >= names->n)
		return false;
	next = engine_at(t, t->engine + 1);
	if (!budget_has_room(&t->budget, next, &t->request))
		return false;
	log_warn("engine %s failed (%s); trying %s", names->items[t->engine],
	    engine_fault_text(e->fault), names->items[t->engine + 1]);
	leave_engine(t);
	t->engine++;
	t->held = false;
	if (!engine_is_remote(next))
		t->phase = PHASE_ENTER;
	return true;
}

static void
take_delta(struct turn *t, struct span text, struct turn_event *event)
{
	text = word_limit_take(&t->words, text, &t->enough);
	if (!budget_take(&t->budget, &text))
		t->enough = true;
	if (t->result.first_token_s < 0) {
		int64_t us = clock_monotonic_us() - t->started_us;

		t->result.first_token_s = (double)us / 1e6;
		metrics_observe_us(METRICS_TIME_FIRST_TOKEN, us);
	}
	buf_add(&t->answer, text.data, text.len);
	if (buf_err(&t->answer) != ERR_NONE) {
		budget_failed(&t->budget, &t->request, said(t),
		    &(struct engine_event){.fault = FAULT_TOO_BIG});
		end_with_error(t, FAULT_TOO_BIG,
		    engine_fault_text(FAULT_TOO_BIG), event);
		return;
	}
	*event = (struct turn_event){.kind = TURN_DELTA, .text = text};
}

/* The engine says that the answer is complete. */
static void
take_end(struct turn *t, const struct engine_event *e,
    struct turn_event *event)
{
	struct engine_usage clamped;

	if (e->passages != NULL) {
		t->result.passages = e->passages;
		t->result.n_passages = e->n_passages;
	}
	clamped = e->usage;
	if (clamped.estimated)
		budget_clamp(&t->budget, &clamped);
	finish(t, &clamped);
	if (e->latency_s > 0)
		t->result.latency_s = t->result.usage.latency_s = e->latency_s;
	event->kind = TURN_END;
}

static void
take_error(struct turn *t, const struct engine_event *e,
    struct turn_event *event)
{
	end_with_error(t, e->fault,
	    e->message != NULL ? e->message : engine_fault_text(e->fault),
	    event);
	event->retry_after_s = e->retry_after_s;
}

static void
count_fault(enum engine_fault fault)
{
	enum metrics_counter counter = METRICS_UPSTREAM_OTHER;

	if (fault == FAULT_RATE_LIMIT || fault == FAULT_QUOTA)
		counter = METRICS_UPSTREAM_RATE;
	else if (fault == FAULT_REFUSED || fault == FAULT_MODEL ||
	    fault == FAULT_CREDENTIALS || fault == FAULT_ADDRESS ||
	    fault == FAULT_FILTERED)
		counter = METRICS_UPSTREAM_REFUSED;
	else if (fault == FAULT_UNREACHABLE)
		counter = METRICS_UPSTREAM_UNREACHABLE;
	else if (fault == FAULT_TIMEOUT)
		counter = METRICS_UPSTREAM_TIMEOUT;
	else if (fault == FAULT_CUT || fault == FAULT_MALFORMED ||
	    fault == FAULT_TOO_BIG)
		counter = METRICS_UPSTREAM_BROKEN;
	metrics_add(counter, 1);
}

/* One event of the engine.  False when there is nothing to tell yet. */
static bool
take_event(struct turn *t, struct engine_event *e, struct turn_event *event)
{
	if (e->kind == ENGINE_END && t->answer.len == 0)
		*e = (struct engine_event){.kind = ENGINE_ERROR,
		    .fault = FAULT_MALFORMED,
		    .usage = e->usage,
		    .usage_reported = !e->usage.estimated,
		    .message = "The model gave no answer."};
	switch (e->kind) {
	case ENGINE_WAIT:
		return true;
	case ENGINE_DELTA:
		if (e->text.len == 0)
			return false;
		take_delta(t, e->text, event);
		return event->kind != TURN_DELTA || event->text.len > 0;
	case ENGINE_RETRACT:
		buf_reset(&t->answer);
		t->words = (struct word_limit){.max = t->request.max_words};
		t->result.retracted = true;
		return false;
	case ENGINE_END:
		take_end(t, e, event);
		return true;
	case ENGINE_ERROR:
		count_fault(e->fault);
		budget_failed(&t->budget, &t->request, said(t), e);
		if (fall_back(t, e))
			return false;
		take_error(t, e, event);
		return true;
	}
	return true;
}

void
turn_next(struct turn *t, int64_t now_ms, const struct interests *ready,
    struct turn_event *event)
{
	struct engine_event e;

	*event = (struct turn_event){.kind = TURN_WAIT};
	if (t->limit_ms == 0)
		t->limit_ms =
		    now_ms + t->setup.config->server.turn_limit_s * 1000;
	if (now_ms >= t->limit_ms)
		turn_stop(t);
	if (t->stopped || t->phase == PHASE_OVER || t->enough) {
		if (t->phase != PHASE_OVER)
			finish(t, NULL);
		event->kind = TURN_END;
		return;
	}
	if (t->failed != ERR_NONE) {
		end_with_error(t, FAULT_INTERNAL,
		    engine_fault_text(FAULT_INTERNAL), event);
		event->err = t->failed;
		return;
	}
	if (t->phase == PHASE_EMBED && !embed(t, now_ms, ready))
		return;
	if (t->phase == PHASE_PREPARED)
		t->phase = PHASE_ANSWER;
	do {
		if (t->phase != PHASE_ANSWER) {
			event->kind = TURN_WORK;
			return;
		}
		if (t->run == NULL && enter_engine(t) != ERR_NONE) {
			end_with_error(t, FAULT_INTERNAL,
			    engine_fault_text(FAULT_INTERNAL), event);
			return;
		}
		if (!t->held)
			budget_hold(&t->budget, engine_at(t, t->engine),
			    t->run, &t->request);
		t->held = true;
		memset(&e, 0, sizeof(e));
		t->run->ops->next(t->run, now_ms, ready, &e);
		t->budget.hidden = t->run->hidden_tokens;
		ready = NULL;
	} while (!take_event(t, &e, event) && !t->enough);
	if (t->enough && event->kind == TURN_DELTA && event->text.len == 0) {
		finish(t, NULL);
		event->kind = TURN_END;
	}
}

void
turn_interests(struct turn *t, struct interests *in)
{
	if (t->embed != NULL)
		embed_interests(t->embed, in);
	else if (t->run != NULL && !t->enough)
		t->run->ops->interests(t->run, in);
	else
		interests_wake(in, 0);
	interests_wake(in, t->limit_ms);
}

void
turn_stop(struct turn *t)
{
	if (t->phase == PHASE_OVER)
		return;
	t->stopped = true;
	leave_engine(t);
}

const struct turn_result *
turn_result(const struct turn *t)
{
	return &t->result;
}

bool
turn_has_hits(const struct turn *t)
{
	return t->request.n_passages > 0;
}

enum err
turn_store_hits(const struct turn *t, struct db *db)
{
	const struct passage *p = t->request.passages;
	enum err err = ERR_NONE;
	size_t i;

	for (i = 0; i < t->request.n_passages && err == ERR_NONE; i++)
		err = segment_hits_add(db, p[i].document_id, p[i].segment_id);
	return err;
}

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	leave_engine(t);
	buf_release(&t->answer);
	free(t);
}
