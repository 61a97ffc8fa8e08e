/*
 * What engines have in common: what belongs to a worker, faults, and what a
 * request may count.
 */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "chat/tokens.h"
#include "config/config.h"
#include "config/engine_kind.h"
#include "upstream/upstream.h"

/* engine_bound(): an upstream's frame, and what nobody can tell. */
#define FRAME_TOKENS 128
#define MESSAGE_TOKENS 16
#define IMAGE_TOKENS 2048

struct engine_worker {
	const struct config *config;
	struct upstream *upstream; /* NULL until a turn goes upstream */
	struct engine_quirks *quirks; /* of each engine; NULL as upstream */
};

struct engine_worker *
engine_worker_new(const struct config *config)
{
	struct engine_worker *w = calloc(1, sizeof(*w));

	if (w != NULL)
		w->config = config;
	return w;
}

void
engine_worker_free(struct engine_worker *w)
{
	if (w == NULL)
		return;
	upstream_leave(w->upstream);
	free(w->quirks);
	free(w);
}

struct engine_quirks *
engine_worker_quirks(
    struct engine_worker *w, const struct engine_config *engine)
{
	const struct config *c = w->config;

	if (c == NULL || engine < c->engines ||
	    engine >= c->engines + c->n_engines)
		return NULL;
	if (w->quirks == NULL)
		w->quirks = calloc(c->n_engines, sizeof(*w->quirks));
	return w->quirks == NULL ? NULL : &w->quirks[engine - c->engines];
}

enum err
engine_worker_upstream(struct engine_worker *w, struct upstream **upstream)
{
	enum err err = ERR_NONE;

	if (w->upstream == NULL)
		err = upstream_join(&w->upstream);
	*upstream = w->upstream;
	return err;
}

const char *
engine_fault_text(enum engine_fault fault)
{
	static const char *const texts[] = {
	    [FAULT_NONE] = "no fault",
	    [FAULT_NOT_CONFIGURED] = "No model is set up.",
	    [FAULT_CREDENTIALS] = "Incorrect API key provided",
	    [FAULT_QUOTA] = "The model's quota is used up.",
	    [FAULT_RATE_LIMIT] = "Rate Limit Error",
	    [FAULT_MODEL] = "The model is not known to its server.",
	    [FAULT_ADDRESS] = "There is no model at its address.",
	    [FAULT_FILTERED] =
		"A content filter of the model stopped the answer.",
	    [FAULT_REFUSED] = "Completion request failed.",
	    [FAULT_UNREACHABLE] = "The model cannot be reached.",
	    [FAULT_TIMEOUT] = "The model took too long.",
	    [FAULT_CUT] = "The model's answer broke off.",
	    [FAULT_MALFORMED] = "The model's reply was not understood.",
	    [FAULT_TOO_BIG] = "The model's answer is too long.",
	    [FAULT_INTERNAL] = "Internal Server Error",
	};

	return texts[fault];
}

bool
engine_fault_at_work(enum engine_fault fault)
{
	return fault == FAULT_TIMEOUT || fault == FAULT_CUT ||
	    fault == FAULT_MALFORMED || fault == FAULT_TOO_BIG ||
	    fault == FAULT_FILTERED;
}

struct failed_run {
	struct engine_run run;
	enum engine_fault fault;
	const char *message;
};

static void
failed_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct failed_run *f = (struct failed_run *)run;

	(void)now_ms;
	(void)ready;
	*event = (struct engine_event){
	    .kind = ENGINE_ERROR, .fault = f->fault, .message = f->message};
}

static void
failed_interests(struct engine_run *run, struct interests *in)
{
	(void)run;
	interests_wake(in, 0);
}

static void
failed_free(struct engine_run *run)
{
	(void)run; /* it lives in the arena */
}

enum err
engine_start_failed(struct arena *arena, enum engine_fault fault,
    const char *message, struct engine_run **run)
{
	static const struct engine_run_ops ops = {
	    failed_next,
	    failed_interests,
	    failed_free,
	};
	struct failed_run *f = arena_alloc(arena, sizeof(*f));

	*run = NULL;
	if (f == NULL)
		return ERR_MEMORY;
	f->run.ops = &ops;
	f->run.hopeless = true;
	f->fault = fault;
	f->message = message;
	*run = &f->run;
	return ERR_NONE;
}

/* ---- counting tokens ---------------------------------------------------- */

int64_t
engine_count_prompt(const struct engine_request *request)
{
	int64_t tokens = 0;
	size_t i;

	for (i = 0; i < request->n_prompt; i++)
		tokens += tokens_count(request->prompt[i].content);
	return tokens;
}

void
engine_bound(const struct engine_config *engine,
    const struct engine_request *request, struct engine_bound *bound)
{
	int64_t tokens, max, per = engine->bytes_per_token;
	struct span text;
	size_t i;

	*bound = (struct engine_bound){engine_count_prompt(request), -1};
	if (!engine_is_remote(engine))
		return;
	bound->prompt = FRAME_TOKENS;
	for (i = 0; i < request->n_prompt; i++) {
		text = request->prompt[i].content;
		tokens = tokens_count(text);
		max = (int64_t)text.len / (per > 1 ? per : 1);
		bound->prompt +=
		    (tokens > max ? tokens : max) + MESSAGE_TOKENS;
	}
	if (engine->vision)
		bound->prompt += (int64_t)request->n_files * IMAGE_TOKENS;
}
