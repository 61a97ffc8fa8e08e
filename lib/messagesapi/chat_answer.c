/*
 * One reply on its way out.
 *
 * A step takes all events that the turn has now, writes them (streaming) or
 * lets the turn collect them (blocking), and at the end stores everything in
 * one transaction before the client is told that it is over: what a client
 * has seen the end of, it can list.
 *
 * Whatever ends the reply early - a stop request, a client that left, the
 * run-time cap - stops the turn, and the partial answer is stored as a
 * normal one.
 */
#include "messagesapi/chat_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/config.h"
#include "json/jsonout.h"
#include "messagesapi/reply.h"
#include "messagesapi/title.h"
#include "store/annotations.h"
#include "store/conversations.h"
#include "store/store.h"
#include "store/tasks.h"

#define PING_MS 10000
#define EVENT_MAX (64U * 1024U * 1024U)

struct chat_answer {
	struct answer answer; /* first: they share an address */
	struct exchange *x;
	struct chat_start start;
	struct turn *turn; /* NULL: an annotation answers */
	size_t annotation_at; /* bytes of it written */
	struct title_job *title; /* beside the turn; NULL: none */
	struct task_watch watch;
	struct buf event;
	struct buf resources;
	struct usage usage;
	int64_t spent;       /* tokens, the title's among them */
	int64_t started_us;  /* monotonic */
	int64_t next_ping_ms, next_heartbeat_ms, limit_ms;
	bool gone, stopped, done;
	bool unsaid;         /* an event could not be built */
};

static void
stop(struct chat_answer *c)
{
	c->stopped = true;
	if (c->turn != NULL)
		turn_stop(c->turn);
}

/* ---- writing ------------------------------------------------------------- */

/* Sends the event that was built; a client that left stops the turn, and so
 * does an event for which there was no memory. */
static void
send_event(struct chat_answer *c)
{
	if (buf_err(&c->event) != ERR_NONE) {
		c->unsaid = true;
		stop(c);
	} else if (!c->gone && response_write(&c->x->response, c->event.data,
				   c->event.len) != ERR_NONE) {
		c->answer.client_gone(&c->answer);
	}
	buf_reset(&c->event);
}

/* The last event of a stream that lacks one: it needs no memory. */
static void
send_unsaid(struct chat_answer *c)
{
	char event[CHAT_EVENT_BROKEN_MAX];

	if (!c->unsaid || c->gone)
		return;
	chat_event_broken(event, &c->start.ids);
	if (response_write(&c->x->response, event, strlen(event)) != ERR_NONE)
		c->gone = true;
}

static void
ping_if_due(struct chat_answer *c, int64_t now_ms)
{
	if (!c->start.streaming || now_ms < c->next_ping_ms)
		return;
	/* One each time another full period has passed. */
	while (c->next_ping_ms <= now_ms)
		c->next_ping_ms += PING_MS;
	buf_adds(&c->event, CHAT_EVENT_PING);
	send_event(c);
}

static void
send_text(struct chat_answer *c, struct span text)
{
	if (!c->start.streaming || c->gone || c->unsaid)
		return;
	chat_event_message(&c->event, &c->start.ids, text);
	send_event(c);
}

/* ---- the end ------------------------------------------------------------- */

/* A store_change: all rows of a finished reply. */
static enum err
store_end(struct db *db, void *arg)
{
	const struct chat_answer *c = arg;
	const struct message_row *m = c->start.message;
	enum err err = messages_finish(db, m);

	if (err == ERR_NONE)
		err = limits_settle(db, &c->start.reservation, c->spent);
	if (err == ERR_NONE && c->start.streaming)
		err = task_delete(db, c->start.ids.task_id);
	if (err == ERR_NONE && c->start.title.len > 0)
		err = conversations_title(db, m->conversation, c->start.title,
		    false);
	if (err == ERR_NONE && c->start.annotation != NULL)
		err = annotations_hit(db, c->start.annotation_seq);
	if (err == ERR_NONE && c->turn != NULL)
		err = turn_store_hits(c->turn, db);
	return err;
}

/* What is deferred when the end could not be stored: the message failed. */
struct lost_end {
	int64_t seq, prompt_tokens, answer_tokens, spent;
	double latency_s;
	struct limits_reservation reservation;
	char task_id[UUID_TEXT];
};

/* A store_change. */
static enum err
store_lost_end(struct db *db, void *arg)
{
	const struct lost_end *lost = arg;
	struct message_row m = {
	    .seq = lost->seq,
	    .state = MESSAGE_ERROR,
	    .error = "The answer could not be stored.",
	    .answer = SPAN(""),
	    .prompt_tokens = lost->prompt_tokens,
	    .answer_tokens = lost->answer_tokens,
	    .latency_s = lost->latency_s,
	};
	enum err err = messages_finish(db, &m);

	if (err == ERR_NONE)
		err = limits_settle(db, &lost->reservation, lost->spent);
	return err == ERR_NONE ? task_delete(db, lost->task_id) : err;
}

/* The row must not say for long that it runs, nor hold its place. */
static void
defer_end(struct chat_answer *c)
{
	struct lost_end lost = {
	    .seq = c->start.message->seq,
	    .prompt_tokens = c->usage.prompt_tokens,
	    .answer_tokens = c->usage.completion_tokens,
	    .latency_s = c->usage.latency_s,
	    .spent = c->spent,
	    .reservation = c->start.reservation,
	};

	(void)snprintf(lost.task_id, sizeof(lost.task_id), "%s",
	    c->start.ids.task_id);
	store_defer(c->x->stores, store_lost_end, &lost, sizeof(lost));
}

/* Fills the message's row from what is known at the end. */
static enum err
complete_row(struct chat_answer *c, const struct chat_fault *fault,
    struct span answer)
{
	struct message_row *m = c->start.message;

	m->state = fault == NULL ? MESSAGE_NORMAL : MESSAGE_ERROR;
	m->error = fault == NULL ? NULL : fault->message;
	m->answer = SPAN("");
	if (fault == NULL)
		m->answer = chat_stored_answer(c->x->request.arena, answer);
	m->resources = (struct span){c->resources.data, c->resources.len};
	m->prompt_tokens = c->usage.prompt_tokens;
	m->answer_tokens = c->usage.completion_tokens;
	m->latency_s = c->usage.latency_s;
	m->total_price = c->usage.total_price;
	m->currency = c->usage.currency;
	if (m->answer.data == NULL)
		return ERR_MEMORY;
	return buf_err(&c->resources);
}

static void
send_fault(struct chat_answer *c, const struct chat_fault *fault,
    int retry_after_s)
{
	struct exchange *x = c->x;
	char seconds[16];

	if (c->gone)
		return;
	if (c->start.streaming) {
		chat_event_error(&c->event, &c->start.ids, fault->status,
		    fault->code, fault->message);
		send_event(c);
		return;
	}
	if (fault->status == 429) {
		(void)snprintf(seconds, sizeof(seconds), "%d",
		    retry_after_s > 0 ? retry_after_s : 1);
		(void)response_header(&x->response, "Retry-After",
		    span_of(seconds));
	}
	if (reply_envelope(x, fault->status, fault->code,
		span_of(fault->message), NULL) != ERR_NONE)
		c->gone = true;
}

static void
send_end(struct chat_answer *c, struct span answer)
{
	struct chat_metadata metadata = {
	    .resources = {c->resources.data, c->resources.len},
	    .usage = &c->usage,
	    .annotation = c->start.annotation,
	};
	struct chat_fault fault;

	if (c->gone)
		return;
	if (c->start.streaming) {
		chat_event_end(&c->event, &c->start.ids, &metadata);
		send_event(c);
		return;
	}
	chat_body_json(&c->event, &c->start.ids, answer, &metadata);
	if (response_send_json(&c->x->response, 200, &c->event) == ERR_NONE)
		return;
	if (!c->x->response.sent) {
		fault = chat_fault_of(FAULT_INTERNAL, NULL, false);
		send_fault(c, &fault, 0);
	}
	c->gone = true;
}

/* Stores and tells the end; event is NULL for an annotation's. */
static void
finish(struct chat_answer *c, struct span answer,
    const struct turn_event *event)
{
	const struct chat_fault *fault = NULL;
	struct chat_fault found;
	enum err err;

	c->done = true;
	task_watch_end(&c->watch);
	if (title_job_text(c->title).len > 0)
		c->start.title = title_job_text(c->title);
	title_job_end(c->title); /* what is not ready now is too late */
	c->spent += title_job_spent(c->title);
	if (c->unsaid) {
		found = chat_fault_of(FAULT_INTERNAL, NULL, true);
		fault = &found;
	} else if (event != NULL && event->kind == TURN_ERROR) {
		found = chat_fault_of(event->fault, event->message,
		    c->start.streaming);
		fault = &found;
	}
	err = complete_row(c, fault, answer);
	if (err == ERR_NONE)
		err = c->start.streaming
		    ? store_write(c->x->stores, store_end, c)
		    : store_write_before(c->x->stores, store_end, c,
			  &c->x->response);
	if (err != ERR_NONE) {
		log_error("chat-messages: storing an answer: %s",
		    err_text(err));
		defer_end(c);
		found = chat_fault_of(FAULT_INTERNAL, NULL,
		    c->start.streaming);
		fault = &found;
	}
	if (c->unsaid)
		log_error("chat-messages: no memory for an event");
	else if (fault != NULL)
		send_fault(c, fault, event == NULL ? 0 : event->retry_after_s);
	else
		send_end(c, answer);
	send_unsaid(c); /* that one might have failed, too */
}

/* The end of a turn: its citations, its usage. */
static void
finish_turn(struct chat_answer *c, const struct turn_event *event)
{
	const struct turn_result *r = turn_result(c->turn);
	const struct bot_config *bot = c->start.setup.bot;

	c->usage = r->usage;
	c->spent = r->spent_tokens;
	c->start.message->estimated = r->usage_estimated;
	chat_resources_json(&c->resources, r->passages,
	    bot->citations && event->kind == TURN_END ? r->n_passages : 0);
	finish(c, r->answer, event);
}

/* ---- stepping ------------------------------------------------------------ */

/* A store_change: signs of life. */
static enum err
store_heartbeat(struct db *db, void *arg)
{
	const struct chat_answer *c = arg;
	enum err err = messages_heartbeat(db, c->start.message->seq,
	    clock_now_us());

	return err != ERR_NONE ? err
	                       : limits_heartbeat(db, &c->start.reservation);
}

/* Stop requests, the run-time cap, pings and signs of life. */
static void
look_around(struct chat_answer *c)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!c->stopped && (now_ms >= c->limit_ms ||
			       task_watch_stopped(&c->watch, now_ms)))
		stop(c);
	ping_if_due(c, now_ms);
	if (now_ms < c->next_heartbeat_ms)
		return;
	c->next_heartbeat_ms = now_ms + MESSAGE_HEARTBEAT_MS;
	if (store_write_unsynced(c->x->stores, store_heartbeat, c, NULL) !=
	    ERR_NONE)
		c->next_heartbeat_ms = now_ms + 1000;
}

static enum answer_state
step_turn(struct chat_answer *c, int64_t now_ms,
    const struct interests *ready)
{
	struct turn_event event;

	(void)title_job_step(c->title, now_ms, ready);
	while (!c->done) {
		look_around(c);
		turn_next(c->turn, now_ms, ready, &event);
		ready = NULL;
		switch (event.kind) {
		case TURN_WAIT:
			return ANSWER_WAIT;
		case TURN_DELTA:
			send_text(c, event.text);
			break;
		case TURN_END:
		case TURN_ERROR:
			finish_turn(c, &event);
			break;
		}
	}
	return ANSWER_DONE;
}

/* An annotation goes out character by character, at once. */
static enum answer_state
step_annotation(struct chat_answer *c)
{
	struct span text = c->start.annotation_answer, piece;
	size_t from;

	while (c->annotation_at < text.len && !c->stopped) {
		from = c->annotation_at;
		(void)utf8_next(text, &c->annotation_at);
		piece = (struct span){text.data + from,
		    c->annotation_at - from};
		send_text(c, piece);
	}
	if (pricing_apply(NULL, 0, 0, &c->usage) != ERR_NONE)
		c->usage = (struct usage){0};
	c->usage.latency_s =
	    (double)(clock_monotonic_us() - c->started_us) / 1e6;
	buf_adds(&c->resources, "[]");
	finish(c, text, NULL);
	return ANSWER_DONE;
}

static enum answer_state
step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	struct chat_answer *c = (struct chat_answer *)(void *)a;

	if (c->done)
		return ANSWER_DONE;
	if (c->turn == NULL)
		return step_annotation(c);
	return step_turn(c, now_ms, ready);
}

static void
interests(struct answer *a, struct interests *in)
{
	struct chat_answer *c = (struct chat_answer *)(void *)a;

	if (c->turn != NULL)
		turn_interests(c->turn, in);
	title_job_interests(c->title, in);
	if (c->start.streaming)
		interests_wake(in, c->next_ping_ms);
	interests_wake(in, c->next_heartbeat_ms);
	interests_wake(in, c->limit_ms);
	interests_wake(in, clock_monotonic_ms() + TASK_WATCH_MS);
}

static void
client_gone(struct answer *a)
{
	struct chat_answer *c = (struct chat_answer *)(void *)a;

	c->gone = true;
	stop(c);
}

static void
release(struct answer *a)
{
	struct chat_answer *c = (struct chat_answer *)(void *)a;

	task_watch_end(&c->watch);
	title_job_end(c->title);
	turn_free(c->turn);
	buf_release(&c->event);
	buf_release(&c->resources);
	free(c);
}

/* ---- the start ----------------------------------------------------------- */

/* It cannot begin: the row must not be left running. */
static void
give_up(struct chat_answer *c)
{
	struct message_row *m = c->start.message;
	struct chat_fault fault = chat_fault_of(FAULT_INTERNAL, NULL, false);

	m->state = MESSAGE_ERROR;
	m->error = fault.message;
	if (store_write(c->x->stores, store_end, c) != ERR_NONE)
		defer_end(c);
}

enum err
chat_answer_begin(struct exchange *x, const struct chat_start *start)
{
	struct chat_answer *c = calloc(1, sizeof(*c));
	int64_t now_ms = clock_monotonic_ms();
	enum err err = ERR_NONE;

	if (c == NULL) {
		title_job_end(start->title_job);
		turn_free(start->turn);
		return ERR_MEMORY;
	}
	c->answer = (struct answer){step, interests, client_gone, release};
	c->x = x;
	c->start = *start;
	buf_init(&c->event, EVENT_MAX);
	buf_init(&c->resources, EVENT_MAX);
	c->started_us = clock_monotonic_us();
	c->next_ping_ms = now_ms + PING_MS;
	c->next_heartbeat_ms = now_ms + MESSAGE_HEARTBEAT_MS;
	c->limit_ms = now_ms + x->config->server.turn_limit_s * 1000;
	c->turn = start->turn;
	c->title = start->title_job;
	response_status(&x->response, 200);
	if (start->streaming)
		err = response_begin_stream(&x->response,
		    "text/event-stream; charset=utf-8");
	if (err == ERR_CLIENT_GONE) {
		client_gone(&c->answer);
		err = ERR_NONE;
	}
	if (err != ERR_NONE) {
		give_up(c);
		release(&c->answer);
		return err;
	}
	if (start->streaming)
		task_watch_begin(&c->watch, x->stores, start->ids.task_id);
	x->answer = &c->answer;
	return ERR_NONE;
}
