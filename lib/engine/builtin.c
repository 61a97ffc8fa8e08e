/* The smallest built-in engine: it knows nothing, and says so. */
#include "engine/builtin.h"

struct builtin_run {
	struct engine_run run;
	const struct engine_request *request;
	bool said;
};

static const struct span answer =
    SPAN("I do not know the answer to that yet.");

static void
builtin_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct builtin_run *b = (struct builtin_run *)run;

	(void)now_ms;
	(void)ready;
	*event = (struct engine_event){.kind = ENGINE_END};
	if (!b->said) {
		event->kind = ENGINE_DELTA;
		event->text = answer;
		b->said = true;
		return;
	}
	event->usage.prompt_tokens =
	    engine_count_tokens(b->request->question);
	event->usage.completion_tokens = engine_count_tokens(answer);
	event->usage.estimated = true;
}

static void
builtin_interests(struct engine_run *run, struct interests *in)
{
	(void)run;
	interests_wake(in, 0);
}

static void
builtin_free(struct engine_run *run)
{
	(void)run; /* it lives in the arena */
}

static const struct engine_run_ops ops = {
    builtin_next,
    builtin_interests,
    builtin_free,
};

enum err
builtin_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	struct builtin_run *b = arena_alloc(arena, sizeof(*b));

	(void)engine;
	(void)worker;
	*run = NULL;
	if (b == NULL)
		return ERR_MEMORY;
	b->run.ops = &ops;
	b->request = request;
	*run = &b->run;
	return ERR_NONE;
}
