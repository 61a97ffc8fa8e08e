/*
 * A step takes the events that the turn has now, up to a quota, so that one
 * answer that has much to say does not keep others waiting; what may block
 * is done by work() between two steps.  Whatever ends the answer early (a
 * stop request, a client that left, the run-time cap) stops the turn, and
 * what was said until then is stored as an answer.
 *
 * The end is stored before it is said: what a client has seen the end of, it
 * finds stored.  A stream waits for the disk; of a whole answer the reply
 * waits, without its thread.
 */
#include "turn/turn_run.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "http/router.h"

#define PING_MS 10000
#define OUT_MAX ((size_t)64 << 20)
#define STEP_EVENTS 128
#define STEP_BYTES ((size_t)256 << 10)
#define HEARTBEAT_RETRY_MS 1000

static struct turn_run *
self(struct answer *a)
{
	return (struct turn_run *)(void *)a;
}

bool
turn_run_gone(const struct turn_run *r)
{
	return r->x->response.gone;
}

static void
stop(struct turn_run *r)
{
	r->stopped = true;
	if (r->turn != NULL)
		turn_stop(r->turn);
}

/* ---- limits -------------------------------------------------------------- */

enum err
turn_run_check(struct turn_run *r, struct db *db,
    const struct key_config *key, const struct bot_config *bot)
{
	struct store_pool *stores = r->x->stores;
	struct limits_ask ask = r->ask;
	struct limits_verdict verdict;
	struct db *leased = NULL;
	enum err err = ERR_NONE;

	ask.key = key;
	ask.bot = bot;
	ask.min_tokens = r->no_turn ? 0 : 1;
	if (!limits_any(&ask) || store_has_deferred(stores))
		return ERR_NONE;
	if (db == NULL)
		err = store_lease(stores, &leased);
	if (err == ERR_NONE)
		err = limits_check(db == NULL ? leased : db, &ask, &verdict);
	store_return(stores, leased);
	if (err != ERR_NONE || verdict.refusal == LIMITS_ALLOWED)
		return err;
	return r->view->refuse(r, &verdict);
}

/* A store_change.  A refusal changes nothing that matters. */
static enum err
start_change(struct db *db, void *arg)
{
	struct turn_run *r = arg;
	enum err err =
	    limits_reserve(db, &r->ask, &r->reservation, &r->verdict);

	if (err != ERR_NONE || r->verdict.refusal != LIMITS_ALLOWED ||
	    r->view->rows_start == NULL)
		return err;
	return r->view->rows_start(r, db);
}

static enum err
reserve(struct turn_run *r)
{
	int64_t title = title_job_max(r->title_job);

	if (!limits_any(&r->ask) && r->view->rows_start == NULL)
		return ERR_NONE;
	if (r->turn != NULL && limits_tokens(&r->ask))
		turn_need(r->turn, &r->need);
	r->ask.min_tokens = r->no_turn ? title : r->need.min;
	r->ask.max_tokens = r->need.max + title;
	r->ask.run_limit_s = r->limit_ms / 1000;
	/* A power cut ends the turn that it is for. */
	return store_write_committed(r->x->stores, start_change, r, NULL);
}

/* Shares what was reserved: the answer goes first. */
static void
allow(struct turn_run *r)
{
	int64_t tokens = r->reservation.tokens;
	int64_t title = title_job_max(r->title_job);

	if (tokens == 0)
		return;
	if (title > 0 && tokens - title >= r->need.max) {
		title_job_allow(r->title_job);
		tokens -= title;
	} else {
		title_job_end(r->title_job);
		r->title_job = NULL;
	}
	if (r->turn != NULL)
		turn_allow(r->turn, tokens);
}

/* ---- writing ------------------------------------------------------------- */

/* Sends what the view has put together, in one write.  A client that left
 * stops the turn, and so does an event for which there was no memory. */
static void
send_out(struct turn_run *r, int64_t now_ms)
{
	enum err err = buf_err(&r->out);

	if (err == ERR_NONE)
		err = response_write(&r->x->response, r->out.data,
		    r->out.len);
	if (err != ERR_NONE) {
		if (!turn_run_gone(r))
			r->broken = err;
		stop(r);
	}
	buf_reset(&r->out);
	if (!r->view->pings_always)
		r->next_ping_ms = now_ms + PING_MS;
}

/* Begins the stream if need be.  False: there is nobody to write to, or its
 * stream is broken. */
static bool
can_write(struct turn_run *r, int64_t now_ms)
{
	struct response *response = &r->x->response;

	if (!r->begun) {
		r->begun = true;
		response_status(response, 200);
		r->broken = response_begin_stream(response,
		    "text/event-stream; charset=utf-8");
		if (r->broken != ERR_NONE) {
			stop(r);
		} else if (r->view->begin != NULL) {
			r->view->begin(r, &r->out);
			send_out(r, now_ms);
		}
	}
	return !turn_run_gone(r) && r->broken == ERR_NONE;
}

static void
send_delta(struct turn_run *r, struct span text, int64_t now_ms)
{
	if (!r->stream || !can_write(r, now_ms))
		return;
	r->view->delta(r, text, &r->out);
	send_out(r, now_ms);
}

static void
ping_if_due(struct turn_run *r, int64_t now_ms)
{
	if (!r->stream || now_ms < r->next_ping_ms)
		return;
	while (r->next_ping_ms <= now_ms)
		r->next_ping_ms += PING_MS;
	if (!can_write(r, now_ms))
		return;
	buf_add(&r->out, r->view->ping.data, r->view->ping.len);
	send_out(r, now_ms);
}

static bool
send_end(struct turn_run *r, int64_t now_ms)
{
	enum err err;

	if (r->stream) {
		if (can_write(r, now_ms)) {
			r->view->end(r, &r->out);
			send_out(r, now_ms);
		}
	} else {
		r->view->end(r, &r->out);
		err = response_send_json(&r->x->response, 200, &r->out);
		if (err != ERR_NONE && !turn_run_gone(r))
			r->broken = err;
	}
	if (r->broken == ERR_NONE)
		return true;
	r->fault = (struct turn_fault){FAULT_INTERNAL,
	    engine_fault_text(FAULT_INTERNAL), 0, r->broken};
	return false;
}

static void
send_fault(struct turn_run *r)
{
	struct response *response = &r->x->response;
	char event[TURN_BROKEN_MAX];

	if (turn_run_gone(r))
		return;
	if (r->fault.err != ERR_NONE)
		log_error("%s: %s (request %s)", r->view->name,
		    err_text(r->fault.err), r->x->request.id);
	if (!response->sent) {
		if (r->fault.err != ERR_NONE)
			response_restart(response);
		(void)r->view->refuse_fault(r);
	} else if (r->begun) {
		buf_reset(&r->out);
		r->view->fail(r, &r->out);
		if (buf_err(&r->out) == ERR_NONE) {
			(void)response_write(response, r->out.data,
			    r->out.len);
			return;
		}
		r->view->broken(r, event);
		(void)response_write(response, event, strlen(event));
	}
}

/* It ends before anything of it was stored: our own failure. */
static enum answer_state
fail_start(struct turn_run *r, enum err why)
{
	struct exchange *x = r->x;

	r->phase = RUN_OVER;
	if (why == ERR_NONE || why == ERR_ANSWERED ||
	    why == ERR_CLIENT_GONE || turn_run_gone(r))
		return ANSWER_DONE;
	log_error("%s: %s (request %s)", r->view->name, err_text(why),
	    x->request.id);
	if (!x->response.sent) {
		response_restart(&x->response);
		(void)x->family->failed(x, why);
	}
	return ANSWER_DONE;
}

/* ---- what is stored at the end ------------------------------------------- */

/* It may be copied when it carries its note, and no turn. */
struct end {
	const struct turn_view *view;
	const struct turn *turn; /* whose segments are counted; or NULL */
	struct limits_reservation reservation;
	int64_t spent;
	void *note;              /* NULL: it stands behind this */
	max_align_t carried[];
};

struct lost_end {
	const struct turn_view *view;
	struct limits_reservation reservation;
	int64_t spent;
	max_align_t note[TURN_NOTE_MAX / sizeof(max_align_t)];
};

/* A store_change. */
static enum err
end_change(struct db *db, void *arg)
{
	struct end *e = arg;
	enum err err = limits_settle(db, &e->reservation, e->spent);

	if (err == ERR_NONE && e->view->rows_end != NULL)
		err = e->view->rows_end(db,
		    e->note != NULL ? e->note : e->carried);
	if (err == ERR_NONE && e->turn != NULL)
		err = turn_store_hits(e->turn, db);
	return err;
}

/* A store_change. */
static enum err
lost_change(struct db *db, void *arg)
{
	struct lost_end *lost = arg;
	enum err err = limits_settle(db, &lost->reservation, lost->spent);

	if (err == ERR_NONE && lost->view->rows_lost != NULL)
		err = lost->view->rows_lost(db, lost->note);
	return err;
}

static void
note_lost(const struct turn_run *r, struct lost_end *lost)
{
	*lost = (struct lost_end){.view = r->view,
	    .reservation = r->reservation, .spent = r->spent};
	if (r->view->note_lost != NULL)
		r->view->note_lost(r, lost->note);
}

/* The end could not be stored, or not be brought to the disk: what was
 * reserved must not stay taken, nor an answer be there that was not told. */
static void
defer_end(struct turn_run *r)
{
	struct lost_end lost;

	note_lost(r, &lost);
	if (r->view->rows_lost != NULL || r->reservation.id != 0)
		store_defer(r->x->stores, lost_change, &lost, sizeof(lost));
}

/* A store_change: the same when the request has gone. */
static enum err
settle_change(struct db *db, void *arg)
{
	const struct end *e = arg;

	assert(e->view->rows_lost == NULL);
	return limits_settle(db, &e->reservation, e->spent);
}

static enum err
note_end(struct turn_run *r, struct end **out, size_t *size)
{
	struct arena *arena = r->x->request.arena;
	void *note = NULL;
	struct end *e;

	*size = 0;
	if (r->view->note_end != NULL) {
		note = r->view->note_end(r, size);
		if (note == NULL)
			return ERR_MEMORY;
	}
	e = arena_alloc(arena, sizeof(*e) + *size);
	if (e == NULL)
		return ERR_MEMORY;
	*e = (struct end){.view = r->view, .reservation = r->reservation,
	    .spent = r->spent, .note = *size > 0 ? NULL : note};
	if (*size > 0)
		memcpy(e->carried, note, *size);
	if (r->turn != NULL && turn_has_hits(r->turn))
		e->turn = r->turn;
	*out = e;
	return ERR_NONE;
}

/* A whole answer that carries all that its end needs is stored when it is
 * sent, together with others'. */
static enum err
store_with_answer(struct turn_run *r, struct end *e, size_t size)
{
	struct durable_change *change = arena_alloc(r->x->request.arena,
	    sizeof(*change));

	if (change == NULL)
		return ERR_MEMORY;
	*change = (struct durable_change){.change = end_change,
	    .if_lost = settle_change, .arg = e, .size = sizeof(*e) + size};
	durable_reply_with(r->x, change);
	return ERR_NONE;
}

/* Any other is stored now; its reply waits for the disk. */
static enum err
store_before_answer(struct turn_run *r, struct end *e)
{
	struct arena *arena = r->x->request.arena;
	struct durable_change *wait = arena_alloc(arena, sizeof(*wait));
	struct lost_end *lost = arena_alloc(arena, sizeof(*lost));
	bool durable = false;
	enum err err;

	if (wait == NULL || lost == NULL)
		return ERR_MEMORY;
	err = store_write_committed(r->x->stores, end_change, e, &durable);
	if (err != ERR_NONE || durable)
		return err;
	note_lost(r, lost);
	*wait = (struct durable_change){.if_lost = lost_change, .arg = lost,
	    .size = sizeof(*lost)};
	durable_reply_with(r->x, wait);
	return ERR_NONE;
}

static enum err
store_end(struct turn_run *r)
{
	bool whole = !r->stream && !turn_run_gone(r);
	struct end *e = NULL;
	size_t size;
	enum err err;

	/* Nothing was said, and nobody knows of it. */
	if (r->fault.fault != FAULT_NONE && r->result.answer.len == 0 &&
	    r->view->rows_start == NULL && r->reservation.id == 0)
		return ERR_NONE;
	err = note_end(r, &e, &size);
	if (err != ERR_NONE)
		return err;
	if (whole && size > 0 && e->turn == NULL &&
	    r->fault.fault == FAULT_NONE)
		return store_with_answer(r, e, size);
	return whole ? store_before_answer(r, e)
		     : store_write_durable(r->x->stores, end_change, e);
}

/* ---- work: what may block ------------------------------------------------ */

static void
prepare(struct turn_run *r)
{
	const struct turn_setup *s = &r->setup;

	if (r->turn != NULL && !turn_prepared(r->turn)) {
		turn_work(r->turn);
		if (!turn_prepared(r->turn))
			return;
	}
	if (r->title_query.data != NULL)
		title_job_start(s->config, s->bot, s->worker, s->arena,
		    r->title_query, &r->title_job);
	r->err = reserve(r);
	r->phase = RUN_BEGIN;
}

static void
do_chores(struct turn_run *r)
{
	if (r->heartbeat_due && store_heartbeat(r->x->stores) != ERR_NONE)
		r->next_heartbeat_ms -= STORE_HEARTBEAT_MS -
		    HEARTBEAT_RETRY_MS;
	if (r->watch_due)
		task_watch_look(&r->watch);
	if (r->turn_works)
		turn_work(r->turn);
	r->heartbeat_due = r->watch_due = r->turn_works = false;
}

static void
work(struct answer *a)
{
	struct turn_run *r = self(a);

	if (r->phase == RUN_PREPARE) {
		prepare(r);
	} else if (r->phase == RUN_ANSWER) {
		do_chores(r);
	} else {
		assert(r->phase == RUN_STORE);
		r->err = store_end(r);
		if (r->err != ERR_NONE)
			defer_end(r);
		r->phase = RUN_CLOSE;
	}
}

/* ---- steps --------------------------------------------------------------- */

static enum answer_state
step_prepare(struct turn_run *r, int64_t now_ms, const struct interests *ready)
{
	struct turn_event event;

	if (r->turn == NULL || turn_prepared(r->turn))
		return ANSWER_WORK;
	turn_next(r->turn, now_ms, ready, &event);
	if (event.kind == TURN_WORK)
		return ANSWER_WORK;
	if (event.kind == TURN_WAIT)
		return ANSWER_WAIT;
	return fail_start(r, event.err); /* or it was stopped */
}

/* Reserved, or refused. */
static enum answer_state
step_begin(struct turn_run *r, int64_t now_ms)
{
	enum err err = r->err;

	if (err == ERR_NONE && r->verdict.refusal != LIMITS_ALLOWED)
		return fail_start(r, r->view->refuse(r, &r->verdict));
	if (err != ERR_NONE && r->view->refuse_start != NULL)
		return fail_start(r, r->view->refuse_start(r, err));
	if (err != ERR_NONE)
		return fail_start(r, err);
	allow(r);
	r->phase = RUN_ANSWER;
	r->until_ms = now_ms + r->limit_ms;
	r->next_ping_ms = now_ms + PING_MS;
	r->next_heartbeat_ms = r->view->rows_start != NULL ||
		r->reservation.id != 0
	    ? now_ms + STORE_HEARTBEAT_MS
	    : INTERESTS_NEVER;
	if (r->stream && r->view->begins_at_once)
		(void)can_write(r, now_ms);
	if (r->task_id != NULL)
		task_watch_begin(&r->watch, r->x->stores, r->task_id);
	return ANSWER_WAIT;
}

/* Is there work besides the turn's? */
static bool
has_chores(struct turn_run *r, int64_t now_ms)
{
	r->heartbeat_due = now_ms >= r->next_heartbeat_ms;
	if (r->heartbeat_due)
		r->next_heartbeat_ms = now_ms + STORE_HEARTBEAT_MS;
	r->watch_due = task_watch_due(&r->watch, now_ms);
	return r->heartbeat_due || r->watch_due;
}

static void
next_event(struct turn_run *r, int64_t now_ms, const struct interests *ready,
    struct turn_event *event)
{
	size_t from = r->said_at;

	if (r->turn != NULL) {
		turn_next(r->turn, now_ms, ready, event);
		return;
	}
	*event = (struct turn_event){.kind = TURN_END};
	if (r->stopped)
		return;
	if (from < r->said.len) {
		(void)utf8_next(r->said, &r->said_at);
		event->kind = TURN_DELTA;
		event->text = (struct span){r->said.data + from,
		    r->said_at - from};
	} else if (!title_job_step(r->title_job, now_ms, ready)) {
		event->kind = TURN_WAIT;
	}
}

static void
take_end(struct turn_run *r, const struct turn_event *event)
{
	struct turn_result *result = &r->result;

	if (r->turn != NULL) {
		*result = *turn_result(r->turn);
	} else {
		result->answer = r->said;
		if (pricing_apply(NULL, 0, 0, &result->usage) != ERR_NONE)
			result->usage = (struct usage){0};
		result->latency_s = result->usage.latency_s =
		    (double)(clock_monotonic_us() - r->started_us) / 1e6;
	}
	r->complete = event->kind == TURN_END;
	r->title = title_job_text(r->title_job);
	title_job_end(r->title_job); /* what is not ready now is too late */
	r->spent = result->spent_tokens + title_job_spent(r->title_job);
	task_watch_end(&r->watch);
	if (r->broken != ERR_NONE)
		r->fault = (struct turn_fault){FAULT_INTERNAL,
		    engine_fault_text(FAULT_INTERNAL), 0, r->broken};
	else if (!r->complete)
		r->fault = (struct turn_fault){event->fault, event->message,
		    event->retry_after_s, ERR_NONE};
	else if (result->answer.len == 0 && !turn_run_gone(r) &&
	    r->view->empty_text != NULL)
		r->fault = (struct turn_fault){FAULT_MALFORMED,
		    r->view->empty_text, 0, ERR_NONE};
	r->phase = RUN_STORE;
}

static enum answer_state
step_answer(struct turn_run *r, int64_t now_ms, const struct interests *ready)
{
	size_t events = 0, bytes = 0;
	struct turn_event event;

	r->more = false;
	if (r->turn != NULL)
		(void)title_job_step(r->title_job, now_ms, ready);
	while (events < STEP_EVENTS && bytes < STEP_BYTES) {
		if (!r->stopped && (now_ms >= r->until_ms ||
				       task_watch_stopped(&r->watch)))
			stop(r);
		next_event(r, now_ms, ready, &event);
		ready = NULL;
		if (event.kind == TURN_WAIT)
			break;
		if (event.kind == TURN_WORK) {
			r->turn_works = true;
			return ANSWER_WORK;
		}
		if (event.kind != TURN_DELTA) {
			take_end(r, &event);
			return ANSWER_WORK;
		}
		send_delta(r, event.text, now_ms);
		events++;
		bytes += event.text.len;
	}
	r->more = event.kind == TURN_DELTA;
	ping_if_due(r, now_ms);
	return has_chores(r, now_ms) ? ANSWER_WORK : ANSWER_WAIT;
}

static enum answer_state
step_close(struct turn_run *r, int64_t now_ms)
{
	r->phase = RUN_OVER;
	if (r->err != ERR_NONE)
		r->fault = (struct turn_fault){FAULT_INTERNAL,
		    engine_fault_text(FAULT_INTERNAL), 0, r->err};
	if (!turn_run_gone(r) &&
	    (r->fault.fault != FAULT_NONE || !send_end(r, now_ms)))
		send_fault(r);
	return ANSWER_DONE;
}

static enum answer_state
step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	struct turn_run *r = self(a);

	if (r->phase == RUN_PREPARE)
		return step_prepare(r, now_ms, ready);
	if (r->phase == RUN_BEGIN && step_begin(r, now_ms) == ANSWER_DONE)
		return ANSWER_DONE;
	if (r->phase == RUN_ANSWER)
		return step_answer(r, now_ms, ready);
	return r->phase == RUN_CLOSE ? step_close(r, now_ms) : ANSWER_DONE;
}

static void
interests(struct answer *a, struct interests *in)
{
	struct turn_run *r = self(a);

	if (r->more)
		interests_wake(in, 0);
	if (r->turn != NULL)
		turn_interests(r->turn, in);
	if (r->phase != RUN_ANSWER)
		return;
	title_job_interests(r->title_job, in);
	if (r->stream)
		interests_wake(in, r->next_ping_ms);
	interests_wake(in, r->next_heartbeat_ms);
	interests_wake(in, r->until_ms);
	if (r->task_id != NULL)
		interests_wake(in, clock_monotonic_ms() + TASK_WATCH_MS);
}

static void
client_gone(struct answer *a)
{
	struct turn_run *r = self(a);

	r->x->response.gone = true;
	stop(r);
}

static void
release(struct answer *a)
{
	struct turn_run *r = self(a);

	if (r->phase > RUN_PREPARE && r->phase < RUN_CLOSE)
		defer_end(r);
	task_watch_end(&r->watch);
	title_job_end(r->title_job);
	turn_free(r->turn);
	buf_release(&r->out);
}

/* ---- the start ----------------------------------------------------------- */

void
turn_run_init(struct turn_run *r, struct exchange *x,
    const struct turn_view *view, const struct bot_config *bot)
{
	static const struct answer_ops ops = {step, work, interests,
	    client_gone, release};

	memset(r, 0, sizeof(*r));
	answer_init(&r->answer, &ops);
	r->x = x;
	r->view = view;
	r->setup = (struct turn_setup){.config = x->config, .bot = bot,
	    .stores = x->stores, .worker = x->worker,
	    .arena = x->request.arena};
	r->limit_ms = x->config->server.turn_limit_s * 1000;
	buf_init(&r->out, OUT_MAX);
}

enum err
turn_run_begin(struct turn_run *r)
{
	enum err err = ERR_NONE;

	r->started_us = clock_monotonic_us();
	if (!r->no_turn)
		err = turn_start(&r->setup, &r->turn);
	if (err == ERR_NONE)
		r->x->answer = &r->answer;
	return err;
}
