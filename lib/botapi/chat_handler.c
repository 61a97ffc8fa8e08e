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
#include "base/log.h"
#include "base/words.h"
#include "botapi/botapi_errors.h"
#include "botapi/botapi_requests.h"
#include "botapi/botapi_routes.h"
#include "chat/tokens.h"
#include "json/jsonout.h"
#include "limits/limits.h"
#include "store/store.h"
#include "turn/turn.h"
#include "usage/usage_rows.h"

#define PING_MS 10000
#define BLOCK_MAX ((size_t)64 << 20) /* an answer as JSON */
#define DAY_S 86400
#define EVENT_STREAM "text/event-stream; charset=utf-8"

struct chat_answer {
	struct answer answer; /* first: what the driver holds */
	struct exchange *x;
	struct turn *turn;
	struct chat_request request;
	struct limits_reservation
	    reservation;       /* what it may use; settled once */
	bool begun;            /* the stream's head is written */
	bool counted, done;
	enum err failed;       /* why a part of the answer was not written */
	int64_t last_write_ms, next_heartbeat_ms;
};

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

static enum err
start_turn(struct chat_answer *a, const struct bot_config *bot)
{
	struct exchange *x = a->x;
	const struct chat_request *r = &a->request;
	struct arena *arena = x->request.arena;
	bool failed = false;
	struct turn_setup setup = {
	    .config = x->config,
	    .bot = bot,
	    .stores = x->stores,
	    .worker = x->worker,
	    .arena = arena,
	    .history_is_callers = true,
	    .language = copy_text(arena, r->language, &failed),
	    .max_words = r->max_words.value > 0 ? r->max_words.value : 0,
	    .user = copy_text(arena, r->user_id, &failed),
	};

	if (failed || !read_turns(arena, r, &setup))
		return ERR_MEMORY;
	return turn_start(&setup, &a->turn);
}

/* ---- accounting ---------------------------------------------------------- */

static enum err
refuse_over_limit(struct exchange *x, const struct limits_verdict *verdict)
{
	char seconds[16];
	enum err err;

	(void)snprintf(seconds, sizeof(seconds), "%d",
	    verdict->retry_after_s);
	err = response_header(&x->response, "Retry-After", span_of(seconds));
	if (err != ERR_NONE)
		return err;
	return botapi_refuse(x, 429, limits_text(verdict->refusal));
}

struct reservation {
	struct chat_answer *answer;
	struct limits_ask ask;
	struct limits_verdict verdict;
};

static struct limits_ask
ask_of(const struct chat_answer *a, const struct bot_config *bot)
{
	return (struct limits_ask){
	    .key = a->x->caller->key,
	    .bot = bot,
	    .user = a->request.user_id,
	    .min_tokens = 1,
	    .run_limit_s = a->x->config->server.turn_limit_s,
	};
}

/* Refuses what has no chance, before any work.  False: refused, or *err says
 * why not. */
static bool
look(struct chat_answer *a, const struct bot_config *bot, enum err *err)
{
	struct limits_ask ask = ask_of(a, bot);
	struct limits_verdict verdict;
	struct db *db;

	*err = ERR_NONE;
	if (!limits_any(&ask) || store_has_deferred(a->x->stores))
		return true;
	*err = store_lease(a->x->stores, &db);
	if (*err != ERR_NONE)
		return false;
	*err = limits_check(db, &ask, &verdict);
	store_return(a->x->stores, db);
	if (*err == ERR_NONE && verdict.refusal != LIMITS_ALLOWED) {
		*err = refuse_over_limit(a->x, &verdict);
		return false;
	}
	return *err == ERR_NONE;
}

/* A store_change.  A refusal changes nothing that matters. */
static enum err
store_reservation(struct db *db, void *arg)
{
	struct reservation *r = arg;

	return limits_reserve(
	    db, &r->ask, &r->answer->reservation, &r->verdict);
}

/* What key and bot allow.  False: refused, or *err says why not. */
static bool
reserve(struct chat_answer *a, const struct bot_config *bot, enum err *err)
{
	struct reservation r = {.answer = a, .ask = ask_of(a, bot)};
	struct turn_need need = {0, 0};

	*err = ERR_NONE;
	if (!limits_any(&r.ask))
		return true;
	if (limits_tokens(&r.ask))
		turn_need(a->turn, &need);
	r.ask.min_tokens = need.min;
	r.ask.max_tokens = need.max;
	/* A power cut ends the turn that it is for. */
	*err = store_write_unsynced(a->x->stores, store_reservation, &r, NULL);
	if (*err != ERR_NONE)
		return false;
	turn_allow(a->turn, a->reservation.tokens);
	if (r.verdict.refusal == LIMITS_ALLOWED)
		return true;
	*err = refuse_over_limit(a->x, &r.verdict);
	return false;
}

/* A store_change. */
static enum err
store_heartbeat(struct db *db, void *arg)
{
	return limits_heartbeat(db, arg);
}

/* A turn that runs for long says so. */
static void
heartbeat(struct chat_answer *a, int64_t now_ms)
{
	if (a->reservation.id == 0 || now_ms < a->next_heartbeat_ms)
		return;
	a->next_heartbeat_ms = now_ms + LIMITS_HEARTBEAT_MS;
	if (store_write_unsynced(a->x->stores, store_heartbeat, &a->reservation,
		NULL) != ERR_NONE)
		a->next_heartbeat_ms = now_ms + 1000;
}

/* What a turn has used, apart from the exchange. */
struct usage_note {
	const char *account;
	int32_t day;
	struct usage_counts counts;
	struct limits_reservation reservation;
	int64_t spent_tokens;
	size_t user_len;
	char user[];
};

static void
count_usage(const struct chat_answer *a, struct usage_counts *c)
{
	const struct turn_result *result = turn_result(a->turn);
	const struct chat_turn *turns = a->request.messages.items;
	size_t i;

	*c = (struct usage_counts){
	    .enhancement_words = result->context_words,
	    .enhancement_tokens = result->context_tokens,
	};
	for (i = 0; i < a->request.messages.n; i++)
		count_text(turns[i].content, &c->original_words,
		    &c->original_tokens);
	count_text(a->request.prompt, &c->original_words,
	    &c->original_tokens);
	count_text(result->answer, &c->response_words, &c->response_tokens);
}

static struct usage_note *
note_usage(const struct chat_answer *a)
{
	struct span user = a->request.user_id;
	struct usage_note *note = arena_alloc(a->x->request.arena,
	    sizeof(*note) + user.len);

	if (note == NULL)
		return NULL;
	*note = (struct usage_note){
	    .account = a->x->caller->key->name,
	    .day = (int32_t)(clock_now_s() / DAY_S),
	    .reservation = a->reservation,
	    .spent_tokens = turn_result(a->turn)->spent_tokens,
	    .user_len = user.len,
	};
	if (user.len > 0)
		memcpy(note->user, user.data, user.len);
	count_usage(a, &note->counts);
	return note;
}

/* A store_change. */
static enum err
store_usage(struct db *db, void *arg)
{
	const struct usage_note *note = arg;
	enum err err = usage_rows_add(db, note->account,
	    (struct span){note->user, note->user_len}, note->day,
	    &note->counts);

	return err != ERR_NONE
	    ? err
	    : limits_settle(db, &note->reservation, note->spent_tokens);
}

/* What a turn used of its reservation. */
struct spent {
	struct limits_reservation reservation;
	int64_t tokens;
};

/* A store_change. */
static enum err
store_spent(struct db *db, void *arg)
{
	const struct spent *s = arg;

	return limits_settle(db, &s->reservation, s->tokens);
}

/* Usage could not be stored: its place must not stay taken. */
static void
lose_usage(struct store_pool *stores, void *arg)
{
	const struct usage_note *note = arg;
	struct spent spent = {note->reservation, note->spent_tokens};

	if (spent.reservation.id != 0)
		store_defer(stores, store_spent, &spent, sizeof(spent));
}

/* A turn that found segments counts that too. */
struct usage_and_hits {
	struct usage_note *note;
	const struct turn *turn;
};

/* A store_change. */
static enum err
store_usage_and_hits(struct db *db, void *arg)
{
	const struct usage_and_hits *both = arg;
	enum err err = store_usage(db, both->note);

	return err == ERR_NONE ? turn_store_hits(both->turn, db) : err;
}

/* Stores it now; a whole answer that has no hits to count carries it along,
 * and is stored when it is sent. */
static enum err
add_usage(struct chat_answer *a, bool whole)
{
	struct store_pool *stores = a->x->stores;
	struct usage_and_hits both = {.turn = a->turn};
	struct store_pending *pending;
	enum err err;

	if (a->counted)
		return ERR_NONE;
	both.note = note_usage(a);
	pending = arena_alloc(a->x->request.arena, sizeof(*pending));
	if (both.note == NULL || pending == NULL)
		return ERR_MEMORY; /* give_back() comes */
	a->counted = true;
	if (whole && !turn_has_hits(a->turn)) {
		*pending = (struct store_pending){
		    .change = store_usage,
		    .lost = lose_usage,
		    .arg = both.note,
		    .size = sizeof(*both.note) + both.note->user_len,
		};
		store_write_with(a->x, pending);
		return ERR_NONE;
	}
	err = whole ? store_write_before(stores, store_usage_and_hits, &both,
			  &a->x->response)
		    : store_write(stores, store_usage_and_hits, &both);
	if (err != ERR_NONE)
		lose_usage(stores, both.note);
	return err;
}

/* Gives back what a turn reserved that said nothing. */
static void
give_back(struct chat_answer *a)
{
	struct spent spent = {
	    a->reservation, turn_result(a->turn)->spent_tokens};

	if (a->reservation.id == 0 || a->counted)
		return;
	a->counted = true;
	if (store_write(a->x->stores, store_spent, &spent) != ERR_NONE)
		store_defer(a->x->stores, store_spent, &spent, sizeof(spent));
}

/* ---- writing ------------------------------------------------------------- */

/* One block of the stream in one write; the head before the first. */
static enum err
write_block(struct chat_answer *a, struct span block, int64_t now_ms)
{
	struct response *r = &a->x->response;
	enum err err;

	if (!a->begun) {
		a->begun = true;
		response_status(r, 200);
		err = response_begin_stream(r, EVENT_STREAM);
		if (err == ERR_NONE)
			err = response_write(r,
			    "data: {\"content\":\"\"}\n\n", 22);
		if (err != ERR_NONE)
			return err;
	}
	a->last_write_ms = now_ms;
	return response_write(r, block.data, block.len);
}

static enum err
write_delta(struct chat_answer *a, struct span text, int64_t now_ms)
{
	struct buf block = BUF_INIT(BLOCK_MAX);
	enum err err;

	buf_adds(&block, "data: {");
	jsonout_member(&block, "content", text);
	buf_adds(&block, "}\n\n");
	err = buf_err(&block);
	if (err == ERR_NONE)
		err = write_block(a, (struct span){block.data, block.len},
		    now_ms);
	buf_release(&block);
	return err;
}

static enum err
write_whole(struct chat_answer *a)
{
	struct buf body = BUF_INIT(BLOCK_MAX);
	enum err err;

	buf_addc(&body, '{');
	jsonout_member(&body, "content", turn_result(a->turn)->answer);
	buf_addc(&body, '}');
	err = response_send_json(&a->x->response, 200, &body);
	buf_release(&body);
	return err;
}

/* The last block of a stream that failed. */
static void
write_stream_error(struct chat_answer *a, const char *detail, int64_t now_ms)
{
	struct buf block = BUF_INIT(8192);

	buf_adds(&block, "event: error\ndata: {");
	jsonout_member_cstring(&block, "detail", detail);
	buf_adds(&block, "}\n\n");
	/* Without memory for it the stream must still say that it failed. */
	(void)write_block(a, buf_err(&block) == ERR_NONE
		? (struct span){block.data, block.len}
		: SPAN("event: error\ndata: "
		       "{\"detail\":\"Internal Server Error\"}\n\n"), now_ms);
	buf_release(&block);
}

/* ---- ends ---------------------------------------------------------------- */

/* Our own failure: the API's 5xx, or the stream's last block. */
static void
end_failed(struct chat_answer *a, enum err why, int64_t now_ms)
{
	if (why == ERR_CLIENT_GONE || a->x->response.gone)
		return;
	log_error("chat: %s (request %s)", err_text(why), a->x->request.id);
	if (!a->x->response.sent) {
		response_restart(&a->x->response);
		(void)botapi_failed(a->x, why);
	} else if (a->begun) {
		write_stream_error(a, "Internal Server Error", now_ms);
	}
}

static void
end_with_fault(struct chat_answer *a, enum engine_fault fault,
    const char *message, int retry_after_s, int64_t now_ms)
{
	struct response *r = &a->x->response;
	char seconds[16];

	if (message == NULL)
		message = "The answer could not be made.";
	if (turn_result(a->turn)->answer.len > 0) {
		enum err err = add_usage(a, false);

		if (err != ERR_NONE)
			log_error("chat: usage is lost: %s", err_text(err));
	} else {
		give_back(a);
	}
	if (r->gone)
		return;
	if (a->begun) {
		write_stream_error(a, message, now_ms);
		return;
	}
	if (retry_after_s > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
		(void)response_header(r, "Retry-After", span_of(seconds));
	}
	(void)botapi_refuse(a->x, botapi_fault_status(fault), message);
}

static void
end_complete(struct chat_answer *a, int64_t now_ms)
{
	enum err err;

	if (turn_result(a->turn)->answer.len == 0 && !a->x->response.gone) {
		end_with_fault(a, FAULT_MALFORMED, "The answer was empty.", 0,
		    now_ms);
		return;
	}
	err = add_usage(a, !a->request.stream && !a->x->response.gone);
	if (err == ERR_NONE)
		err = a->failed;
	if (err == ERR_NONE && !a->x->response.gone)
		err = a->request.stream
		    ? write_block(a, SPAN("data: [DONE]\n\n"), now_ms)
		    : write_whole(a);
	if (err != ERR_NONE)
		end_failed(a, err, now_ms);
}

/* ---- the state machine --------------------------------------------------- */

/* Is it time for a ping?  Only a stream can carry one. */
static void
ping_when_silent(struct chat_answer *a, int64_t now_ms)
{
	if (!a->request.stream || now_ms - a->last_write_ms < PING_MS)
		return;
	if (write_block(a, SPAN(": ping\n\n"), now_ms) != ERR_NONE)
		turn_stop(a->turn);
}

static enum answer_state
step(struct answer *answer, int64_t now_ms, const struct interests *ready)
{
	struct chat_answer *a = (struct chat_answer *)answer;
	struct turn_event event;

	heartbeat(a, now_ms);
	while (!a->done) {
		turn_next(a->turn, now_ms, ready, &event);
		ready = NULL;
		switch (event.kind) {
		case TURN_WAIT:
			ping_when_silent(a, now_ms);
			return ANSWER_WAIT;
		case TURN_DELTA:
			if (!a->request.stream || a->failed != ERR_NONE)
				break;
			a->failed = write_delta(a, event.text, now_ms);
			if (a->failed != ERR_NONE)
				turn_stop(a->turn);
			break;
		case TURN_END:
			a->done = true;
			end_complete(a, now_ms);
			break;
		case TURN_ERROR:
			a->done = true;
			end_with_fault(a, event.fault, event.message,
			    event.retry_after_s, now_ms);
			break;
		}
	}
	return ANSWER_DONE;
}

static void
interests(struct answer *answer, struct interests *in)
{
	struct chat_answer *a = (struct chat_answer *)answer;

	turn_interests(a->turn, in);
	if (a->request.stream)
		interests_wake(in, a->last_write_ms + PING_MS);
	if (a->reservation.id != 0)
		interests_wake(in, a->next_heartbeat_ms);
}

static void
client_gone(struct answer *answer)
{
	struct chat_answer *a = (struct chat_answer *)answer;

	a->x->response.gone = true;
	turn_stop(a->turn);
}

static void
release(struct answer *answer)
{
	struct chat_answer *a = (struct chat_answer *)answer;

	give_back(a);
	turn_free(a->turn);
	a->turn = NULL;
}

enum err
chat_post(struct exchange *x)
{
	struct chat_answer *a = arena_alloc(x->request.arena, sizeof(*a));
	const struct bot_config *bot;
	enum err err;

	if (a == NULL)
		return ERR_MEMORY;
	a->x = x;
	a->answer = (struct answer){step, interests, client_gone, release};
	if (!botapi_read(x, &chat_request_model, &a->request, &err))
		return err;
	bot = bots_find(x, a->request.bot_uid, a->request.bot_slug);
	if (bot == NULL)
		return botapi_refuse(x, 404, "Bot not found");
	if (!look(a, bot, &err))
		return err;
	err = start_turn(a, bot);
	if (err != ERR_NONE)
		return err;
	if (!reserve(a, bot, &err)) {
		turn_free(a->turn);
		return err;
	}
	a->last_write_ms = clock_monotonic_ms();
	a->next_heartbeat_ms = a->last_write_ms + LIMITS_HEARTBEAT_MS;
	x->answer = &a->answer;
	return ERR_NONE;
}
