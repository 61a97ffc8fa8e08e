/*
 * The turn's steps: find passages, start the bot's first engine, hand its
 * deltas on, and go to the next engine when one fails before its first
 * delta.  The answer is collected as it goes by, so that whatever ends the
 * turn, what was said is known.
 */
#include "turn/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/words.h"
#include "chat/tokens.h"
#include "config/config.h"
#include "knowledge/knowledge.h"
#include "store/segment_hits.h"
#include "turn/engine_kinds.h"
#include "turn/prompt.h"

#define ANSWER_MAX_BYTES (16U << 20)
/* Our count of an upstream's tokens is not its own: it is broken off only
 * when there is no doubt that it goes on beyond what it was allowed. */
#define BEYOND(max) (4 * (max) + 256)

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
	bool stopped, over;
	bool enough;               /* max_words were said, or all tokens */
	int64_t allowed;           /* tokens in all; 0: no limit */
	int64_t spent;             /* by engines that failed */
	int64_t hidden;            /* tokens of thoughts, of the last engine */
	int64_t max_said;         /* tokens, then it is enough; 0: no limit */
	int64_t said;              /* of them, piece by piece; 0 without */
	bool held;                 /* the engine, to what is allowed */
	bool beyond;               /* it said more than it was allowed */
	struct engine_bound bound; /* of the engine, when allowed is set */
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
	    s->n_history, (size_t)s->bot->top_k, s->arena, &found);
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
	enum err err;

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
	find_passages(t);
	err = prompt_build(setup, &t->request, setup->arena);
	if (err != ERR_NONE) {
		turn_free(t);
		return err;
	}
	t->result.passages = t->request.passages;
	t->result.n_passages = t->request.n_passages;
	t->words.max = t->request.max_words;
	count_context(t);
	*out = t;
	return ERR_NONE;
}

static void
leave_engine(struct turn *t)
{
	if (t->run != NULL) {
		t->hidden = t->run->hidden_tokens;
		t->run->ops->free(t->run);
	}
	t->run = NULL;
}

/* Tokens of thoughts that the engine has not handed on. */
static int64_t
hidden(const struct turn *t)
{
	return t->run != NULL ? t->run->hidden_tokens : t->hidden;
}

/* One of the bot's engines. */
static const struct engine_config *
engine_at(const struct turn *t, size_t i)
{
	return config_engine(t->setup.config, t->setup.bot->engines.items[i]);
}

static bool
is_ours(const struct engine_config *engine)
{
	return strcmp(engine->kind, "openai") != 0;
}

static enum err
enter_engine(struct turn *t)
{
	const struct turn_setup *s = &t->setup;

	return engine_kinds_start(engine_at(t, t->engine), &t->request,
	    s->worker, s->arena, &t->run);
}

/* ---- tokens ------------------------------------------------------------- */

static int64_t
longest_answer(const struct turn *t)
{
	int64_t max = t->setup.bot->max_output_tokens;

	return max > 0 ? max : TURN_ANSWER_TOKENS;
}

/* Tokens of an answer that are worth asking for. */
static int64_t
min_answer(const struct turn *t)
{
	int64_t max = longest_answer(t);

	return max < TURN_ANSWER_MIN ? max : TURN_ANSWER_MIN;
}

void
turn_need(struct turn *t, struct turn_need *need)
{
	const struct engine_config *engine;
	struct engine_bound b;
	int64_t min, max;
	size_t i;

	*need = (struct turn_need){-1, 0};
	/* One that fails to start is asked again, and says so then. */
	if (t->run == NULL && t->setup.bot->engines.n > 0 &&
	    is_ours(engine_at(t, 0)) && enter_engine(t) != ERR_NONE)
		t->run = NULL;
	for (i = 0; i < t->setup.bot->engines.n; i++) {
		engine = engine_at(t, i);
		if (i == 0 && t->run != NULL && t->run->hopeless)
			continue;
		if (i == 0 && t->run != NULL && t->run->bound_known)
			b = t->run->bound;
		else
			engine_bound(engine, &t->request, &b);
		min = b.prompt +
		    (b.answer >= 0 ? b.answer : min_answer(t));
		max = b.prompt +
		    (b.answer >= 0 ? b.answer : longest_answer(t));
		if (need->min < 0)
			need->min = min;
		if (need->max < max)
			need->max = max;
	}
	if (need->min < 0)
		need->min = 0;
}

void
turn_allow(struct turn *t, int64_t tokens)
{
	t->allowed = tokens;
}

/* Tokens that are left for the answer of one of the bot's engines. */
static int64_t
room_at(const struct turn *t, size_t i)
{
	struct engine_bound b;

	if (t->allowed == 0)
		return INT64_MAX;
	engine_bound(engine_at(t, i), &t->request, &b);
	return t->allowed - t->spent - b.prompt;
}

/* Holds the engine that was started to what is left. */
static void
hold(struct turn *t)
{
	struct engine_bound *b = &t->bound;
	int64_t left;

	t->held = true;
	if (t->allowed == 0)
		return;
	engine_bound(engine_at(t, t->engine), &t->request, b);
	if (t->run->bound_known)
		*b = t->run->bound;
	left = t->allowed - t->spent - b->prompt;
	if (b->answer >= 0 && b->answer <= left)
		return;
	if (b->answer < 0 && left > longest_answer(t))
		left = longest_answer(t);
	b->answer = left > 0 ? left : 1;
	t->request.max_tokens = b->answer;
	t->max_said = is_ours(engine_at(t, t->engine)) ? b->answer
						: BEYOND(b->answer);
}

/* What a model was allowed it will have kept to, where it does not tell,
 * unless we have seen otherwise. */
static void
clamp(const struct turn *t, struct engine_usage *usage)
{
	const struct engine_bound *b = &t->bound;

	if (t->allowed == 0)
		return;
	if (usage->prompt_tokens > b->prompt)
		usage->prompt_tokens = b->prompt;
	if (usage->completion_tokens > b->answer && !t->beyond)
		usage->completion_tokens = b->answer;
}

/* What was counted here, of an answer that did not come to its end or whose
 * model did not tell. */
static void
estimate(const struct turn *t, struct engine_usage *usage)
{
	struct span answer = {buf_text(&t->answer), t->answer.len};

	*usage = (struct engine_usage){.estimated = true,
	    .prompt_tokens = engine_count_prompt(&t->request),
	    .completion_tokens = tokens_count(answer) + hidden(t)};
	clamp(t, usage);
}

/* What an engine that failed has used. */
static int64_t
spent_by_failed(const struct turn *t, const struct engine_event *e)
{
	struct engine_usage usage = e->usage;

	if (!e->usage_reported && t->answer.len == 0 && hidden(t) == 0 &&
	    !engine_fault_at_work(e->fault))
		return 0;
	if (!e->usage_reported)
		estimate(t, &usage);
	return usage.prompt_tokens + usage.completion_tokens;
}

/* Makes the result final. */
static void
finish(struct turn *t, const struct engine_usage *usage)
{
	struct engine_usage counted;
	struct turn_result *r = &t->result;

	r->answer = (struct span){buf_text(&t->answer), t->answer.len};
	if (usage == NULL) {
		estimate(t, &counted);
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
	    t->spent + usage->prompt_tokens + usage->completion_tokens;
	r->latency_s =
	    (double)(clock_monotonic_us() - t->started_us) / 1e6;
	r->usage.latency_s = r->latency_s;
	metrics_add(METRICS_PROMPT_TOKENS, (uint64_t)usage->prompt_tokens);
	metrics_add(METRICS_ANSWER_TOKENS, (uint64_t)usage->completion_tokens);
	r->stopped = t->stopped;
	t->over = true;
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
	t->result.spent_tokens = t->spent;
}

/* The engine failed. True when another one takes over. */
static bool
fall_back(struct turn *t, const struct engine_event *e)
{
	if (t->answer.len > 0 ||
	    t->engine + 1 >= t->setup.bot->engines.n ||
	    room_at(t, t->engine + 1) < min_answer(t))
		return false;
	log_error("engine %s failed (%s); trying %s",
	    t->setup.bot->engines.items[t->engine],
	    engine_fault_text(e->fault),
	    t->setup.bot->engines.items[t->engine + 1]);
	leave_engine(t);
	t->hidden = 0;
	t->engine++;
	t->held = false;
	return true;
}

static void
take_delta(struct turn *t, struct span text, struct turn_event *event)
{
	text = word_limit_take(&t->words, text, &t->enough);
	if (t->max_said > 0)
		t->said += tokens_count(text);
	if (t->said > t->max_said) {
		t->enough = true;
		t->beyond = !is_ours(engine_at(t, t->engine));
		if (!t->beyond)
			text.len = 0;
	}
	if (t->result.first_token_s < 0) {
		int64_t us = clock_monotonic_us() - t->started_us;

		t->result.first_token_s = (double)us / 1e6;
		metrics_observe_us(METRICS_TIME_FIRST_TOKEN, us);
	}
	buf_add(&t->answer, text.data, text.len);
	if (buf_err(&t->answer) != ERR_NONE) {
		t->spent += spent_by_failed(t,
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
		clamp(t, &clamped);
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
	case ENGINE_END:
		take_end(t, e, event);
		return true;
	case ENGINE_ERROR:
		count_fault(e->fault);
		t->spent += spent_by_failed(t, e);
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
	if (t->stopped || t->over || t->enough) {
		if (!t->over)
			finish(t, NULL);
		event->kind = TURN_END;
		return;
	}
	do {
		if (t->run == NULL && enter_engine(t) != ERR_NONE) {
			end_with_error(t, FAULT_INTERNAL,
			    engine_fault_text(FAULT_INTERNAL), event);
			return;
		}
		if (!t->held)
			hold(t);
		memset(&e, 0, sizeof(e));
		t->run->ops->next(t->run, now_ms, ready, &e);
	} while (!take_event(t, &e, event) && !t->enough);
	if (t->enough && event->kind == TURN_DELTA && event->text.len == 0) {
		finish(t, NULL);
		event->kind = TURN_END;
	}
}

void
turn_interests(struct turn *t, struct interests *in)
{
	if (t->run != NULL && !t->enough)
		t->run->ops->interests(t->run, in);
	else
		interests_wake(in, 0);
	interests_wake(in, t->limit_ms);
}

void
turn_stop(struct turn *t)
{
	if (t->over)
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
