/*
 * The rows of a reply, and what is written of it.
 *
 * One transaction makes the rows of a turn that starts, one completes them
 * before the client is told that it is over: what a client has seen the end
 * of, it can list.  A reply that was broken off is stored as a normal one.
 */
#include "messagesapi/chat_answer.h"

#include <stdio.h>
#include <string.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "config/config.h"
#include "json/jsonout.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"

#define RESOURCES_MAX ((size_t)64 << 20)

static struct chat_answer *
self(const struct turn_run *r)
{
	return (struct chat_answer *)(uintptr_t)r;
}

/* ---- the rows of a turn that starts -------------------------------------- */

static enum err
add_conversation(struct chat_answer *a, struct db *db, int64_t now_us)
{
	const struct bot_config *bot = a->run.x->caller->bot;
	struct arena *arena = a->run.x->request.arena;
	struct conversation_row *c = &a->conversation;

	c->id = arena_strdup(arena, a->ids.conversation_id);
	c->name = SPAN(CONVERSATION_NEW_NAME);
	c->named = NAMED_NOT;
	c->inputs = a->inputs.json;
	c->introduction = form_inputs_fill(arena,
	    bot->opening_statement == NULL ? "" : bot->opening_statement,
	    &a->inputs);
	c->created_us = c->updated_us = now_us;
	if (c->id == NULL || c->introduction.data == NULL)
		return ERR_MEMORY;
	return conversations_add(db, a->end_user.seq, c);
}

static enum err
add_message(struct chat_answer *a, struct db *db, int64_t now_us)
{
	struct message_row *m = &a->message;
	size_t i;
	enum err err;

	m->id = a->ids.message_id;
	m->conversation = a->conversation.seq;
	m->end_user = a->end_user.seq;
	m->created_us = now_us;
	m->inputs = a->inputs.json;
	m->query = a->request.query;
	m->n_files = (int64_t)a->files.n;
	err = messages_add(db, a->run.x->caller->bot->uid, m);
	for (i = 0; i < a->files.n && err == ERR_NONE; i++)
		err = message_files_add(db, m->seq, &a->files.rows[i]);
	return err;
}

static enum err
rows_start(struct turn_run *r, struct db *db)
{
	struct chat_answer *a = self(r);
	const struct app_caller *caller = messagesapi_caller(r->x);
	int64_t now_us = clock_now_us();
	enum err err = end_users_ensure(db, caller->app_id,
	    a->request.user.name, false, now_us, r->x->request.arena,
	    &a->end_user);

	a->ids.created_at = now_us / 1000000;
	if (err != ERR_NONE)
		return err;
	/* ERR_NOT_FOUND: deleted since we looked. */
	err = a->new_conversation
	    ? add_conversation(a, db, now_us)
	    : conversations_touch(db, a->conversation.seq, now_us);
	if (err == ERR_NONE)
		err = add_message(a, db, now_us);
	/* Of a blocking answer nobody knows the task before its end. */
	if (err == ERR_NONE && r->stream)
		err = task_insert(db, a->ids.task_id, caller->app_id,
		    a->request.user.name);
	return err;
}

static enum err
refuse_start(struct turn_run *r, enum err why)
{
	if (why == ERR_NOT_FOUND)
		return reply_error(r->x, REPLY_CONVERSATION);
	/* A file that was removed since it was looked up (store/clean.h). */
	if (why == ERR_CONFLICT && self(r)->files.n > 0)
		return reply_invalid(r->x, NULL, "Invalid upload file");
	return why;
}

/* ---- the rows at its end ------------------------------------------------- */

static struct chat_fault
fault_of(const struct turn_run *r)
{
	return chat_fault_of(r->fault.fault, r->fault.message, r->stream);
}

/* Fills the message's row from what is known at the end. */
static void *
note_end(struct turn_run *r, size_t *size)
{
	const struct turn_result *result = &r->result;
	struct buf resources = BUF_INIT(RESOURCES_MAX);
	struct arena *arena = r->x->request.arena;
	struct chat_answer *a = self(r);
	struct message_row *m = &a->message;
	bool failed = r->fault.fault != FAULT_NONE;

	*size = 0;
	chat_resources_json(&resources, result->passages,
	    r->complete && !r->no_turn && r->setup.bot->citations
		? result->n_passages
		: 0);
	m->resources = (struct span){arena_strndup(arena,
	    buf_text(&resources), resources.len), resources.len};
	if (buf_err(&resources) != ERR_NONE)
		m->resources.data = NULL;
	buf_release(&resources);
	m->state = failed ? MESSAGE_ERROR : MESSAGE_NORMAL;
	m->error = failed ? fault_of(r).message : NULL;
	m->answer = failed ? SPAN("")
			   : chat_stored_answer(arena, result->answer);
	m->estimated = result->usage_estimated;
	m->prompt_tokens = result->usage.prompt_tokens;
	m->answer_tokens = result->usage.completion_tokens;
	m->latency_s = result->usage.latency_s;
	m->total_price = result->usage.total_price;
	m->currency = result->usage.currency;
	if (r->title.len > 0)
		a->title = r->title;
	return m->answer.data == NULL || m->resources.data == NULL ? NULL : a;
}

static enum err
rows_end(struct db *db, void *note)
{
	const struct chat_answer *a = note;
	const struct message_row *m = &a->message;
	enum err err = messages_finish(db, m);

	if (err == ERR_NONE && a->run.stream)
		err = task_delete(db, a->ids.task_id);
	if (err == ERR_NONE && a->title.len > 0)
		err = conversations_title(db, m->conversation, a->title,
		    false);
	if (err == ERR_NONE && a->annotation.seq != 0)
		err = annotations_hit(db, a->annotation.seq);
	return err;
}

/* The message failed: its row must not say for long that it runs. */
struct lost_message {
	int64_t seq, prompt_tokens, answer_tokens;
	double latency_s;
	char task_id[UUID_TEXT];
};

static void
note_lost(const struct turn_run *r, void *note)
{
	const struct chat_answer *a = self(r);
	struct lost_message *lost = note;

	_Static_assert(sizeof(*lost) <= TURN_NOTE_MAX, "no room for it");
	*lost = (struct lost_message){
	    .seq = a->message.seq,
	    .prompt_tokens = r->result.usage.prompt_tokens,
	    .answer_tokens = r->result.usage.completion_tokens,
	    .latency_s = r->result.usage.latency_s,
	};
	memcpy(lost->task_id, a->ids.task_id, UUID_TEXT);
}

static enum err
rows_lost(struct db *db, const void *note)
{
	const struct lost_message *lost = note;
	struct message_row m = {
	    .seq = lost->seq,
	    .state = MESSAGE_ERROR,
	    .error = "The answer could not be stored.",
	    .answer = SPAN(""),
	    .prompt_tokens = lost->prompt_tokens,
	    .answer_tokens = lost->answer_tokens,
	    .latency_s = lost->latency_s,
	};
	enum err err = messages_fail(db, &m);

	return err == ERR_NONE ? task_delete(db, lost->task_id) : err;
}

/* ---- writing ------------------------------------------------------------- */

static enum err
refuse(struct turn_run *r, const struct limits_verdict *v)
{
	return reply_too_many(r->x, limits_text(v->refusal),
	    v->retry_after_s);
}

static void
write_delta(struct turn_run *r, struct span text, struct buf *out)
{
	chat_event_message(out, &self(r)->ids, text);
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	const struct chat_answer *a = self(r);
	struct chat_metadata metadata = {
	    .resources = a->message.resources,
	    .usage = &r->result.usage,
	    .annotation =
		a->annotation.seq != 0 ? &a->annotation_reported : NULL,
	};

	if (r->stream && r->result.retracted)
		chat_event_replace(out, &a->ids, r->result.answer);
	if (r->stream)
		chat_event_end(out, &a->ids, &metadata);
	else
		chat_body_json(out, &a->ids, r->result.answer, &metadata);
}

static void
write_fault(struct turn_run *r, struct buf *out)
{
	struct chat_fault fault = fault_of(r);

	chat_event_error(out, &self(r)->ids, fault.status, fault.code,
	    fault.message);
}

static void
write_broken(struct turn_run *r, char out[TURN_BROKEN_MAX])
{
	_Static_assert(CHAT_EVENT_BROKEN_MAX <= TURN_BROKEN_MAX, "no room");
	chat_event_broken(out, &self(r)->ids);
}

static enum err
refuse_fault(struct turn_run *r)
{
	struct chat_fault fault = chat_fault_of(r->fault.fault,
	    r->fault.message, false);
	char seconds[16];

	if (r->fault.err != ERR_NONE)
		reply_headers(r->x);
	if (fault.status == 429) {
		(void)snprintf(seconds, sizeof(seconds), "%d",
		    r->fault.retry_after_s > 0 ? r->fault.retry_after_s : 1);
		(void)response_header(&r->x->response, "Retry-After",
		    span_of(seconds));
	}
	return reply_envelope(r->x, fault.status, fault.code,
	    span_of(fault.message), NULL);
}

const struct turn_view chat_answer_view = {
    .name = "chat-messages",
    .begins_at_once = true,
    .pings_always = true,
    .ping = {CHAT_EVENT_PING, sizeof(CHAT_EVENT_PING) - 1},
    .rows_start = rows_start,
    .refuse_start = refuse_start,
    .note_end = note_end,
    .rows_end = rows_end,
    .note_lost = note_lost,
    .rows_lost = rows_lost,
    .refuse = refuse,
    .delta = write_delta,
    .end = write_end,
    .fail = write_fault,
    .broken = write_broken,
    .refuse_fault = refuse_fault,
};
