/*
 * POST /v1/chat: a view of one turn, blocking or as a stream
 * (contracts/chat.md 7).
 *
 * A stream begins with the engine's first word, not before: until then a
 * failure of the engine can still be an ordinary HTTP error.  Each block is
 * one write, because a public client parses every network chunk by itself.
 * After ten seconds of silence a comment line, ": ping", keeps proxies from
 * closing the connection and finds out whether the client is still there.
 *
 * An engine that fails after its first word ends the stream with
 *
 *	event: error
 *	data: {"detail":"<what happened>"}
 *
 * and without [DONE].  The payload has no "content", so that no client takes
 * it for a part of the answer, and a client that looks for nothing but
 * content fails on it instead of showing half an answer as a whole one.
 *
 * Usage is counted before the end of the answer is written, so that whoever
 * has read the end finds it in the statistics.  An answer that broke off is
 * counted as far as it went: the tokens were spent.
 */
#include <stdio.h>
#include <string.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "base/words.h"
#include "botapi/botapi_errors.h"
#include "botapi/botapi_requests.h"
#include "botapi/botapi_routes.h"
#include "chat/tokens.h"
#include "json/jsonout.h"
#include "turn/turn_run.h"
#include "usage/usage_rows.h"

#define DAY_S 86400

struct chat_answer {
	struct turn_run run; /* first: what the run's functions are given */
	struct chat_request request;
};

static struct chat_answer *
self(struct turn_run *r)
{
	return (struct chat_answer *)(void *)r;
}

/* ---- what was asked ------------------------------------------------------ */

/* Counts the words and tokens of a text into two counters. */
static void
count_text(struct span text, int64_t *words, int64_t *tokens)
{
	*words += words_count(text);
	*tokens += tokens_count(text);
}

/*
 * The turns in order, a prompt being one more of the user's at the end.  The
 * last turn of the user is the question (without any, the last turn); what
 * stands around it is the history.
 */
static bool
read_turns(struct arena *arena, const struct chat_request *r,
    struct turn_setup *setup)
{
	const struct chat_turn *turns = r->messages.items;
	struct chat_message *history;
	size_t n = r->messages.n, question = n, i, kept = 0;

	if (r->prompt.len == 0) {
		question = n - 1;
		for (i = n; i-- > 0;)
			if (turns[i].role == ROLE_USER) {
				question = i;
				break;
			}
	}
	history = arena_array(arena, n, sizeof(*history));
	if (history == NULL)
		return false;
	for (i = 0; i < n; i++)
		if (i != question)
			history[kept++] = (struct chat_message){
			    (enum chat_role)turns[i].role, turns[i].content};
	setup->question = question < n ? turns[question].content : r->prompt;
	setup->history = history;
	setup->n_history = kept;
	return true;
}

static char *
copy_text(struct arena *arena, struct span text, bool *failed)
{
	char *copy;

	if (text.len == 0)
		return NULL;
	copy = arena_strndup(arena, text.data, text.len);
	if (copy == NULL)
		*failed = true;
	return copy;
}

/* ---- usage --------------------------------------------------------------- */

/* What a turn has used, apart from the exchange. */
struct usage_note {
	const char *account;
	int32_t day;
	bool counts; /* it said something, or was broken off by its client */
	struct usage_counts used;
	size_t user_len;
	char user[];
};

static void *
note_usage(struct turn_run *r, size_t *size)
{
	const struct chat_request *request = &self(r)->request;
	const struct chat_turn *turns = request->messages.items;
	const struct turn_result *result = &r->result;
	struct span user = request->user_id;
	struct usage_counts c = {
	    .enhancement_words = result->context_words,
	    .enhancement_tokens = result->context_tokens,
	};
	struct usage_note *note;
	size_t i;

	*size = sizeof(*note) + user.len;
	note = arena_alloc(r->x->request.arena, *size);
	if (note == NULL)
		return NULL;
	for (i = 0; i < request->messages.n; i++)
		count_text(turns[i].content, &c.original_words,
		    &c.original_tokens);
	count_text(request->prompt, &c.original_words, &c.original_tokens);
	count_text(result->answer, &c.response_words, &c.response_tokens);
	*note = (struct usage_note){
	    .account = r->x->caller->key->name,
	    .day = (int32_t)(clock_now_s() / DAY_S),
	    .counts = r->fault.fault == FAULT_NONE || result->answer.len > 0,
	    .used = c,
	    .user_len = user.len,
	};
	if (user.len > 0)
		memcpy(note->user, user.data, user.len);
	return note;
}

static enum err
store_usage(struct db *db, void *arg)
{
	const struct usage_note *note = arg;

	if (!note->counts)
		return ERR_NONE;
	return usage_rows_add(db, note->account,
	    (struct span){note->user, note->user_len}, note->day,
	    &note->used);
}

/* ---- writing ------------------------------------------------------------- */

static enum err
refuse_over_limit(struct turn_run *r, const struct limits_verdict *verdict)
{
	char seconds[16];
	enum err err;

	(void)snprintf(seconds, sizeof(seconds), "%d",
	    verdict->retry_after_s);
	err = response_header(&r->x->response, "Retry-After",
	    span_of(seconds));
	if (err != ERR_NONE)
		return err;
	return botapi_refuse(r->x, 429, limits_text(verdict->refusal));
}

static void
write_begin(struct turn_run *r, struct buf *out)
{
	(void)r;
	buf_adds(out, "data: {\"content\":\"\"}\n\n");
}

static void
write_delta(struct turn_run *r, struct span text, struct buf *out)
{
	(void)r;
	buf_adds(out, "data: {");
	jsonout_member(out, "content", text);
	buf_adds(out, "}\n\n");
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	if (r->stream) {
		buf_adds(out, "data: [DONE]\n\n");
		return;
	}
	buf_addc(out, '{');
	jsonout_member(out, "content", r->result.answer);
	buf_addc(out, '}');
}

static const char *
fault_text(const struct turn_run *r)
{
	return r->fault.message != NULL ? r->fault.message
					: "The answer could not be made.";
}

static void
write_fault(struct turn_run *r, struct buf *out)
{
	buf_adds(out, "event: error\ndata: {");
	jsonout_member_cstring(out, "detail", fault_text(r));
	buf_adds(out, "}\n\n");
}

static void
write_broken(struct turn_run *r, char out[TURN_BROKEN_MAX])
{
	(void)r;
	(void)snprintf(out, TURN_BROKEN_MAX, "event: error\ndata: "
	    "{\"detail\":\"Internal Server Error\"}\n\n");
}

static enum err
refuse_fault(struct turn_run *r)
{
	char seconds[16];

	if (r->fault.err != ERR_NONE)
		return botapi_failed(r->x, r->fault.err);
	if (r->fault.retry_after_s > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%d",
		    r->fault.retry_after_s);
		(void)response_header(&r->x->response, "Retry-After",
		    span_of(seconds));
	}
	return botapi_refuse(r->x, botapi_fault_status(r->fault.fault),
	    fault_text(r));
}

static const struct turn_view view = {
    .name = "chat",
    .ping = {": ping\n\n", 8},
    .empty_text = "The answer was empty.",
    .note_end = note_usage,
    .rows_end = store_usage,
    .refuse = refuse_over_limit,
    .begin = write_begin,
    .delta = write_delta,
    .end = write_end,
    .fail = write_fault,
    .broken = write_broken,
    .refuse_fault = refuse_fault,
};

enum err
chat_post(struct exchange *x)
{
	struct arena *arena = x->request.arena;
	struct chat_answer *a = arena_alloc(arena, sizeof(*a));
	const struct chat_request *request;
	const struct bot_config *bot;
	bool failed = false;
	struct turn_run *r;
	enum err err;

	if (a == NULL)
		return ERR_MEMORY;
	request = &a->request;
	err = botapi_read(x, &chat_request_model, &a->request);
	if (err != ERR_NONE)
		return err;
	bot = bots_find(x, request->bot_uid, request->bot_slug);
	if (bot == NULL)
		return botapi_refuse(x, 404, "Bot not found");
	r = &a->run;
	turn_run_init(r, x, &view, bot);
	r->stream = request->stream;
	r->ask = (struct limits_ask){.key = x->caller->key, .bot = bot,
	    .user = request->user_id};
	err = turn_run_check(r, NULL, r->ask.key, bot);
	if (err != ERR_NONE)
		return err;
	r->setup.history_is_callers = true;
	r->setup.language = copy_text(arena, request->language, &failed);
	r->setup.user = copy_text(arena, request->user_id, &failed);
	if (request->max_words.value > 0)
		r->setup.max_words = request->max_words.value;
	if (failed || !read_turns(arena, request, &r->setup))
		return ERR_MEMORY;
	return turn_run_begin(r);
}
