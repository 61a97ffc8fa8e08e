#include "dialogue/dialogue.h"

#include <string.h>

#include "base/clock.h"
#include "config/config.h"
#include "dialogue/annotation_match.h"
#include "store/retention.h"

/* What is read of a conversation for the prompt, at the most. */
#define HISTORY_MESSAGES 500
#define HISTORY_BYTES (512U * 1024U)
#define RESOURCES_MAX ((size_t)64 << 20)

static struct dialogue *
self(const struct turn_run *r)
{
	return (struct dialogue *)(uintptr_t)r;
}

/* ---- before the turn ---- */

enum err
dialogue_find(struct dialogue *d, struct db *db, struct span id)
{
	struct arena *arena = d->run.x->request.arena;
	enum err err = end_users_find(db, d->app_id, d->user, arena,
	    &d->end_user);

	if (err != ERR_NONE && err != ERR_NOT_FOUND)
		return err;
	d->new_conversation = id.len == 0;
	if (d->new_conversation)
		return ERR_NONE;
	if (err == ERR_NONE)
		err = conversations_find(db, d->end_user.seq, id, arena,
		    &d->conversation);
	return err;
}

enum err
dialogue_find_annotation(struct dialogue *d, struct db *db)
{
	const struct bot_config *bot = d->run.setup.bot;
	struct annotation_policy policy;
	enum err err = annotation_policy_load(db, bot, &policy);

	if (err != ERR_NONE || !policy.enabled)
		return err;
	err = annotation_match(db, bot, policy.threshold, d->query,
	    d->run.x->request.arena, &d->annotation);
	d->run.no_turn = d->annotation.seq != 0;
	return err;
}

/* As user and assistant by turns. */
enum err
dialogue_read_history(struct dialogue *d, struct db *db)
{
	struct turn_setup *setup = &d->run.setup;
	struct arena *arena = d->run.x->request.arena;
	struct chat_message *history;
	struct message_pair *pairs;
	size_t n, i;
	enum err err;

	if (d->new_conversation || d->run.no_turn)
		return ERR_NONE;
	err = messages_history(db, d->conversation.seq, 0, HISTORY_MESSAGES,
	    HISTORY_BYTES, arena, &pairs, &n);
	if (err != ERR_NONE)
		return err;
	history = arena_array(arena, 2 * n, sizeof(*history));
	if (history == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		history[2 * i] = (struct chat_message){ROLE_USER,
		    pairs[i].query};
		history[2 * i + 1] = (struct chat_message){ROLE_ASSISTANT,
		    pairs[i].answer};
	}
	setup->history = history;
	setup->n_history = 2 * n;
	return ERR_NONE;
}

static enum err
make_ids(struct dialogue *d)
{
	struct chat_ids *ids = &d->ids;
	enum err err = uuid_random(ids->task_id);

	if (err == ERR_NONE)
		err = uuid_random(ids->message_id);
	if (err == ERR_NONE && d->new_conversation)
		err = uuid_random(ids->conversation_id);
	if (!d->new_conversation)
		memcpy(ids->conversation_id, d->conversation.id, UUID_TEXT);
	return err;
}

enum err
dialogue_set_up(struct dialogue *d)
{
	struct turn_run *r = &d->run;
	struct arena *arena = r->x->request.arena;

	r->ask.bot = r->setup.bot;
	r->ask.user = d->user;
	r->task_id = r->stream ? d->ids.task_id : NULL;
	r->setup.question = d->query;
	r->setup.user = arena_strndup(arena, d->user.data, d->user.len);
	if (d->new_conversation && d->auto_name) {
		d->title = title_from_query(arena, d->query);
		if (d->title.data == NULL)
			return ERR_MEMORY;
		if (d->title.len > 0 && !r->no_turn)
			r->title_query = d->query;
	}
	if (r->no_turn)
		r->said = d->annotation.answer;
	return make_ids(d);
}

enum err
dialogue_begin(struct dialogue *d)
{
	struct exchange *x = d->run.x;

	if (d->new_conversation)
		retention_some(x->config, x->stores);
	return turn_run_begin(&d->run);
}

/* ---- the rows of a turn that starts ---- */

static enum err
add_conversation(struct dialogue *d, struct db *db, int64_t now_us)
{
	struct conversation_row *c = &d->conversation;

	c->id = d->ids.conversation_id;
	c->name = SPAN(CONVERSATION_NEW_NAME);
	c->named = NAMED_NOT;
	c->inputs = d->inputs;
	c->introduction = d->introduction;
	c->created_us = c->updated_us = now_us;
	return conversations_add(db, d->end_user.seq, c);
}

static enum err
add_message(struct dialogue *d, struct db *db, int64_t now_us)
{
	struct message_row *m = &d->message;
	size_t i;
	enum err err;

	m->id = d->ids.message_id;
	m->conversation = d->conversation.seq;
	m->end_user = d->end_user.seq;
	m->created_us = now_us;
	m->inputs = d->inputs;
	m->query = d->query;
	m->n_files = (int64_t)d->n_files;
	err = messages_add(db, d->run.setup.bot->uid, m);
	for (i = 0; i < d->n_files && err == ERR_NONE; i++)
		err = message_files_add(db, m->seq, &d->files[i]);
	return err;
}

enum err
dialogue_rows_start(struct turn_run *r, struct db *db)
{
	struct dialogue *d = self(r);
	int64_t now_us = clock_now_us();
	enum err err = end_users_ensure(db, d->app_id, d->user, false, now_us,
	    r->x->request.arena, &d->end_user);

	d->ids.created_at = now_us / 1000000;
	if (err != ERR_NONE)
		return err;
	/* ERR_NOT_FOUND: deleted since we looked. */
	err = d->new_conversation
	    ? add_conversation(d, db, now_us)
	    : conversations_touch(db, d->conversation.seq, now_us);
	if (err == ERR_NONE)
		err = add_message(d, db, now_us);
	/* Of a blocking answer nobody knows the task before its end. */
	if (err == ERR_NONE && r->stream)
		err = task_insert(db, d->ids.task_id, d->app_id, d->user);
	return err;
}

/* ---- the rows at its end ---- */

struct chat_fault
dialogue_fault(const struct turn_run *r)
{
	return chat_fault_of(r->fault.fault, r->fault.message, r->stream);
}

/* Fills the message's row from what is known at the end. */
void *
dialogue_note_end(struct turn_run *r, size_t *size)
{
	const struct turn_result *result = &r->result;
	struct buf resources = BUF_INIT(RESOURCES_MAX);
	struct arena *arena = r->x->request.arena;
	struct dialogue *d = self(r);
	struct message_row *m = &d->message;
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
	m->error = failed ? dialogue_fault(r).message : NULL;
	m->answer = failed ? SPAN("")
			   : chat_stored_answer(arena, result->answer);
	m->estimated = result->usage_estimated;
	m->prompt_tokens = result->usage.prompt_tokens;
	m->answer_tokens = result->usage.completion_tokens;
	m->latency_s = result->usage.latency_s;
	m->total_price = result->usage.total_price;
	m->currency = result->usage.currency;
	if (r->title.len > 0)
		d->title = r->title;
	return m->answer.data == NULL || m->resources.data == NULL ? NULL : d;
}

enum err
dialogue_rows_end(struct db *db, void *note)
{
	const struct dialogue *d = note;
	const struct message_row *m = &d->message;
	enum err err = messages_finish(db, m);
	int64_t seq;

	/* Had its end user it removed meanwhile (store/retention.h)? */
	if (err == ERR_CONFLICT && messages_seq(db, m->conversation,
				       span_of(m->id), &seq) == ERR_NOT_FOUND)
		err = ERR_NONE;
	if (err == ERR_NONE && d->run.stream)
		err = task_delete(db, d->ids.task_id);
	if (err == ERR_NONE && d->title.len > 0)
		err = conversations_title(db, m->conversation, d->title,
		    false);
	if (err == ERR_NONE && d->annotation.seq != 0)
		err = annotations_hit(db, d->annotation.seq);
	return err;
}

/* The message failed: its row must not say for long that it runs. */
struct lost_message {
	int64_t seq, prompt_tokens, answer_tokens;
	double latency_s;
	char task_id[UUID_TEXT];
};

void
dialogue_note_lost(const struct turn_run *r, void *note)
{
	const struct dialogue *d = self(r);
	struct lost_message *lost = note;

	_Static_assert(sizeof(*lost) <= TURN_NOTE_MAX, "no room for it");
	*lost = (struct lost_message){
	    .seq = d->message.seq,
	    .prompt_tokens = r->result.usage.prompt_tokens,
	    .answer_tokens = r->result.usage.completion_tokens,
	    .latency_s = r->result.usage.latency_s,
	};
	memcpy(lost->task_id, d->ids.task_id, UUID_TEXT);
}

enum err
dialogue_rows_lost(struct db *db, const void *note)
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

/* ---- writing ---- */

void
dialogue_write_delta(struct turn_run *r, struct span text, struct buf *out)
{
	chat_event_message(out, &self(r)->ids, text);
}

void
dialogue_write_broken(struct turn_run *r, char out[TURN_BROKEN_MAX])
{
	_Static_assert(CHAT_EVENT_BROKEN_MAX <= TURN_BROKEN_MAX, "no room");
	chat_event_broken(out, &self(r)->ids);
}
