#include "turn/budget.h"

#include "chat/tokens.h"
#include "config/config.h"
#include "config/engine_kind.h"

/* Our count of an upstream's tokens is not its own: it is broken off only
 * when there is no doubt that it goes on beyond what it was allowed. */
#define BEYOND(max) (4 * (max) + 256)

static int64_t
longest_answer(const struct bot_config *bot)
{
	return bot->max_output_tokens > 0 ? bot->max_output_tokens
					  : TURN_ANSWER_TOKENS;
}

static int64_t
min_answer(const struct bot_config *bot)
{
	int64_t max = longest_answer(bot);

	return max < TURN_ANSWER_MIN ? max : TURN_ANSWER_MIN;
}

void
budget_need(const struct config *config, const struct engine_request *request,
    const struct engine_run *first, struct turn_need *need)
{
	const struct config_list *names = &request->bot->engines;
	struct engine_bound b;
	int64_t min, max;
	size_t i;

	*need = (struct turn_need){-1, 0};
	for (i = 0; i < names->n; i++) {
		if (i == 0 && first != NULL && first->hopeless)
			continue;
		if (i == 0 && first != NULL && first->bound_known)
			b = first->bound;
		else
			engine_bound(config_engine(config, names->items[i]),
			    request, &b);
		min = b.prompt +
		    (b.answer >= 0 ? b.answer : min_answer(request->bot));
		max = b.prompt +
		    (b.answer >= 0 ? b.answer : longest_answer(request->bot));
		if (need->min < 0)
			need->min = min;
		if (need->max < max)
			need->max = max;
	}
	if (need->min < 0)
		need->min = 0;
}

bool
budget_has_room(const struct budget *b, const struct engine_config *engine,
    const struct engine_request *request)
{
	struct engine_bound bound;

	if (b->allowed == 0)
		return true;
	engine_bound(engine, request, &bound);
	return b->allowed - b->spent - bound.prompt >=
	    min_answer(request->bot);
}

void
budget_hold(struct budget *b, const struct engine_config *engine,
    const struct engine_run *run, struct engine_request *request)
{
	int64_t left;

	b->hidden = 0;
	b->ours = !engine_is_remote(engine);
	if (b->allowed == 0)
		return;
	engine_bound(engine, request, &b->bound);
	if (run->bound_known)
		b->bound = run->bound;
	left = b->allowed - b->spent - b->bound.prompt;
	if (b->bound.answer >= 0 && b->bound.answer <= left)
		return;
	if (b->bound.answer < 0 && left > longest_answer(request->bot))
		left = longest_answer(request->bot);
	b->bound.answer = left > 0 ? left : 1;
	request->max_tokens = b->bound.answer;
	b->max_said = b->ours ? b->bound.answer : BEYOND(b->bound.answer);
}

bool
budget_take(struct budget *b, struct span *text)
{
	if (b->max_said > 0)
		b->said += tokens_count(*text);
	if (b->said <= b->max_said)
		return true;
	b->beyond = !b->ours;
	if (b->ours)
		text->len = 0;
	return false;
}

void
budget_clamp(const struct budget *b, struct engine_usage *usage)
{
	if (b->allowed == 0)
		return;
	if (usage->prompt_tokens > b->bound.prompt)
		usage->prompt_tokens = b->bound.prompt;
	if (usage->completion_tokens > b->bound.answer && !b->beyond)
		usage->completion_tokens = b->bound.answer;
}

void
budget_estimate(const struct budget *b, const struct engine_request *request,
    struct span answer, struct engine_usage *usage)
{
	*usage = (struct engine_usage){.estimated = true,
	    .prompt_tokens = engine_count_prompt(request),
	    .completion_tokens = tokens_count(answer) + b->hidden};
	budget_clamp(b, usage);
}

void
budget_failed(struct budget *b, const struct engine_request *request,
    struct span answer, const struct engine_event *error)
{
	struct engine_usage usage = error->usage;

	if (!error->usage_reported && answer.len == 0 && b->hidden == 0 &&
	    !engine_fault_at_work(error->fault))
		return;
	if (!error->usage_reported)
		budget_estimate(b, request, answer, &usage);
	b->spent += usage.prompt_tokens + usage.completion_tokens;
}
