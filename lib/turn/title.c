/* Names for conversations. */
#include "turn/title.h"

#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "chat/tokens.h"
#include "config/config.h"
#include "config/engine_kind.h"
#include "turn/engine_kinds.h"

#define TITLE_BYTES 4096U
#define TITLE_CHARACTERS 75
/* A longer question is cut in its middle. */
#define QUERY_CHARACTERS 2000
#define QUERY_END 300
/* A name has a few; a model that thinks about it has more. */
#define TITLE_TOKENS 256

#define PROMPT                                                                 \
	"Give the conversation that begins with the following message a "     \
	"title of a few words, in the language of the message. Answer with "  \
	"the title alone."

struct title_job {
	const struct engine_config *engine;
	struct engine_worker *worker;
	struct engine_run *run; /* NULL: not begun, or over */
	bool over;
	struct engine_request request;
	struct chat_message prompt[2];
	struct buf answer;
	struct arena *arena;
	struct span title;
	struct engine_bound bound;
	struct engine_usage usage;
	bool asked;   /* the engine may be at work */
	bool counted; /* usage is final */
};

/* A copy with every blank a space. */
static char *
one_line(struct arena *arena, struct span text)
{
	char *copy = arena_strndup(arena, text.len == 0 ? "" : text.data,
	    text.len);
	size_t i;

	for (i = 0; copy != NULL && i < text.len; i++)
		if (text_is_blank(copy[i]))
			copy[i] = ' ';
	return copy;
}

struct span
title_from_query(struct arena *arena, struct span query)
{
	struct span head = span_trim(query);
	bool cut = utf8_prefix(head, 51).len > utf8_prefix(head, 50).len;
	const char *text;

	if (cut)
		head = utf8_prefix(head, 47);
	text = one_line(arena, head);
	if (text != NULL && cut)
		text = arena_printf(arena, "%s...", text);
	return text == NULL ? SPAN_NONE : span_of(text);
}

static bool
is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`' || c == '*' || c == '#';
}

struct span
title_from_answer(struct arena *arena, struct span answer)
{
	struct span rest = span_trim(answer), line = span_cut(&rest, '\n');
	struct span head;
	const char *text;

	while (line.len > 0 &&
	    (is_quote(line.data[0]) || text_is_blank(line.data[0]))) {
		line.data++;
		line.len--;
	}
	while (line.len > 0 && (is_quote(line.data[line.len - 1]) ||
				   text_is_blank(line.data[line.len - 1])))
		line.len--;
	head = utf8_prefix(line, TITLE_CHARACTERS);
	text = one_line(arena, head);
	if (text != NULL && head.len < line.len)
		text = arena_printf(arena, "%s...", text);
	return text == NULL ? SPAN_NONE : span_of(text);
}

/* The question as the model is shown it. */
static struct span
shown(struct arena *arena, struct span query)
{
	struct span text = span_trim(query), end;
	size_t length = utf8_length(text), skip;
	const char *copy;

	if (length <= QUERY_CHARACTERS) {
		copy = one_line(arena, text);
	} else {
		skip = utf8_prefix(text, length - QUERY_END).len;
		end = (struct span){text.data + skip, text.len - skip};
		text = utf8_prefix(text, QUERY_END);
		copy = arena_printf(arena, "%.*s\n...\n%.*s", (int)text.len,
		    text.data, (int)end.len, end.data);
	}
	return copy == NULL ? SPAN_NONE : span_of(copy);
}

static bool
start(struct title_job *job)
{
	return engine_kinds_start(job->engine, &job->request, job->worker,
	    job->arena, &job->run) == ERR_NONE;
}

void
title_job_start(const struct config *config, const struct bot_config *bot,
    struct engine_worker *worker, struct arena *arena, struct span query,
    struct title_job **out)
{
	const struct engine_config *engine;
	struct title_job *job;

	*out = NULL;
	if (bot->title_engine == NULL)
		return;
	engine = config_engine(config, bot->title_engine);
	job = arena_alloc(arena, sizeof(*job));
	if (engine == NULL || job == NULL)
		return;
	job->arena = arena;
	job->title = SPAN("");
	buf_init(&job->answer, TITLE_BYTES);
	job->prompt[0] = (struct chat_message){ROLE_SYSTEM, SPAN(PROMPT)};
	job->prompt[1] = (struct chat_message){ROLE_USER, shown(arena, query)};
	job->request = (struct engine_request){
	    .bot = bot,
	    .question = job->prompt[1].content,
	    .prompt = job->prompt,
	    .n_prompt = 2,
	};
	if (job->prompt[1].content.data == NULL)
		return;
	job->engine = engine;
	job->worker = worker;
	engine_bound(engine, &job->request, &job->bound);
	/* An engine of ours makes its answer now. */
	if (!engine_is_remote(engine) && !start(job))
		return;
	if (job->run != NULL && job->run->bound_known)
		job->bound = job->run->bound;
	if (job->bound.answer < 0)
		job->bound.answer = TITLE_TOKENS;
	*out = job;
}

int64_t
title_job_max(const struct title_job *job)
{
	return job == NULL ? 0 : job->bound.prompt + job->bound.answer;
}

void
title_job_allow(struct title_job *job)
{
	job->request.max_tokens = job->bound.answer;
}

/* The model did not tell, or did not come to its end. */
static void
estimate(struct title_job *job)
{
	struct engine_usage *u = &job->usage;
	int64_t max = job->bound.answer;

	*u = (struct engine_usage){.estimated = true,
	    .prompt_tokens = engine_count_prompt(&job->request)};
	u->completion_tokens = tokens_count(
	    (struct span){buf_text(&job->answer), job->answer.len});
	if (u->completion_tokens > max)
		u->completion_tokens = max;
	job->counted = true;
}

/* What a failed engine has used. */
static void
count_failed(struct title_job *job, const struct engine_event *event)
{
	job->counted = true;
	if (event->usage_reported)
		job->usage = event->usage;
	else if (job->answer.len > 0 || engine_fault_at_work(event->fault))
		estimate(job);
}

int64_t
title_job_spent(const struct title_job *job)
{
	return job == NULL ? 0
			   : job->usage.prompt_tokens +
		job->usage.completion_tokens;
}

bool
title_job_step(struct title_job *job, int64_t now_ms,
    const struct interests *ready)
{
	struct engine_event event;

	while (job != NULL && !job->over) {
		if (job->run == NULL && !start(job)) {
			title_job_end(job);
			break;
		}
		memset(&event, 0, sizeof(event));
		job->asked = true;
		job->run->ops->next(job->run, now_ms, ready, &event);
		ready = NULL;
		switch (event.kind) {
		case ENGINE_WAIT:
			return false;
		case ENGINE_DELTA:
			buf_add(&job->answer, event.text.data,
			    event.text.len);
			break;
		case ENGINE_RETRACT:
			buf_reset(&job->answer);
			break;
		case ENGINE_END:
			job->title = title_from_answer(job->arena,
			    (struct span){buf_text(&job->answer),
				job->answer.len});
			job->usage = event.usage;
			job->counted = !event.usage.estimated;
			title_job_end(job);
			break;
		case ENGINE_ERROR:
			log_error("no title for a conversation: %s",
			    event.message);
			count_failed(job, &event);
			title_job_end(job);
			break;
		}
	}
	return true;
}

void
title_job_interests(struct title_job *job, struct interests *in)
{
	if (job != NULL && job->run != NULL)
		job->run->ops->interests(job->run, in);
}

struct span
title_job_text(const struct title_job *job)
{
	if (job == NULL || !job->over || job->title.data == NULL)
		return SPAN("");
	return job->title;
}

void
title_job_end(struct title_job *job)
{
	if (job == NULL)
		return;
	if (job->asked && !job->counted)
		estimate(job);
	if (job->run != NULL)
		job->run->ops->free(job->run);
	job->run = NULL;
	job->over = true;
	buf_release(&job->answer);
}
