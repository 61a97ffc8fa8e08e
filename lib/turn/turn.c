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
#include "config/config.h"
#include "knowledge/knowledge.h"
#include "turn/prompt.h"

#define ANSWER_MAX_BYTES (16U << 20)

struct turn {
	struct turn_setup setup;
	struct engine_request request;
	struct engine_run *run;
	size_t engine;             /* which of the bot's engines */
	struct buf answer;
	struct turn_result result;
	int64_t started_us;
	bool started, stopped, over;
};

/* Passages are a help, not a condition: without them there is an answer. */
static void
find_passages(struct turn *t)
{
	const struct turn_setup *s = &t->setup;
	struct passage *passages = NULL;
	size_t n = 0, kept = 0;
	enum err err;

	if (s->question.len == 0)
		return;
	err = knowledge_search(s->config, s->bot, s->question, s->history,
	    s->n_history, (size_t)s->bot->top_k, s->arena, &passages, &n);
	if (err != ERR_NONE) {
		log_error("knowledge of bot %s: %s", s->bot->slug,
		    err_text(err));
		return;
	}
	while (kept < n && passages[kept].score >= s->bot->score_threshold)
		kept++;
	t->request.passages = passages;
	t->request.n_passages = kept;
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
	*out = t;
	return ERR_NONE;
}

static void
leave_engine(struct turn *t)
{
	if (t->run != NULL)
		t->run->ops->free(t->run);
	t->run = NULL;
}

static enum err
enter_engine(struct turn *t)
{
	const struct turn_setup *s = &t->setup;
	const struct engine_config *engine = config_engine(s->config,
	    s->bot->engines.items[t->engine]);

	return engine_start(engine, &t->request, s->worker, s->arena,
	    &t->run);
}

/* Makes the result final. */
static void
finish(struct turn *t, const struct engine_usage *usage)
{
	struct engine_usage counted;
	struct turn_result *r = &t->result;
	size_t i;

	r->answer = (struct span){buf_text(&t->answer), t->answer.len};
	if (usage == NULL) {
		counted = (struct engine_usage){.estimated = true,
		    .completion_tokens = engine_count_tokens(r->answer)};
		for (i = 0; i < t->request.n_prompt; i++)
			counted.prompt_tokens += engine_count_tokens(
			    t->request.prompt[i].content);
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
	r->latency_s =
	    (double)(clock_monotonic_us() - t->started_us) / 1e6;
	r->usage.latency_s = r->latency_s;
	r->stopped = t->stopped;
	t->over = true;
	leave_engine(t);
}

static void
end_with_error(struct turn *t, enum engine_fault fault, const char *message,
    struct turn_event *event)
{
	*event = (struct turn_event){.kind = TURN_ERROR, .fault = fault,
	    .message = message};
	finish(t, NULL);
}

/* The engine failed. True when another one takes over. */
static bool
fall_back(struct turn *t, const struct engine_event *e)
{
	if (t->answer.len > 0 ||
	    t->engine + 1 >= t->setup.bot->engines.n)
		return false;
	log_error("engine %s failed (%s); trying %s",
	    t->setup.bot->engines.items[t->engine], e->message,
	    t->setup.bot->engines.items[t->engine + 1]);
	leave_engine(t);
	t->engine++;
	return true;
}

static void
take_delta(struct turn *t, struct span text, struct turn_event *event)
{
	if (t->result.first_token_s < 0)
		t->result.first_token_s =
		    (double)(clock_monotonic_us() - t->started_us) / 1e6;
	buf_add(&t->answer, text.data, text.len);
	if (buf_err(&t->answer) != ERR_NONE) {
		end_with_error(t, FAULT_TOO_BIG, "The answer is too long.",
		    event);
		return;
	}
	*event = (struct turn_event){.kind = TURN_DELTA, .text = text};
}

void
turn_next(struct turn *t, int64_t now_ms, const struct interests *ready,
    struct turn_event *event)
{
	struct engine_event e;

	*event = (struct turn_event){.kind = TURN_WAIT};
	if (t->stopped || t->over) {
		if (!t->over)
			finish(t, NULL);
		event->kind = TURN_END;
		return;
	}
	for (;;) {
		if (t->run == NULL && enter_engine(t) != ERR_NONE) {
			end_with_error(t, FAULT_INTERNAL,
			    "The answer could not be made.", event);
			return;
		}
		memset(&e, 0, sizeof(e));
		t->run->ops->next(t->run, now_ms, ready, &e);
		switch (e.kind) {
		case ENGINE_WAIT:
			return;
		case ENGINE_DELTA:
			if (e.text.len == 0)
				continue;
			take_delta(t, e.text, event);
			return;
		case ENGINE_END:
			finish(t, &e.usage);
			event->kind = TURN_END;
			return;
		case ENGINE_ERROR:
			if (fall_back(t, &e)) {
				ready = NULL;
				continue;
			}
			end_with_error(t, e.fault, e.message, event);
			event->retry_after_s = e.retry_after_s;
			return;
		}
	}
}

void
turn_interests(struct turn *t, struct interests *in)
{
	if (t->run != NULL)
		t->run->ops->interests(t->run, in);
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

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	leave_engine(t);
	buf_release(&t->answer);
	free(t);
}
