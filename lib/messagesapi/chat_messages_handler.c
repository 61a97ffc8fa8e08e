/*
 * POST /chat-messages and its stop.
 *
 * The order of checks is the contract's (2): body, user, schema of all
 * fields, conversation, cap, query, app, files, inputs.  Until then nothing
 * is written; then one transaction makes the rows of the turn, and the answer
 * takes over (chat_answer.h).
 */
#include "messagesapi/handlers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "limits/limits.h"
#include "messagesapi/annotation_match.h"
#include "messagesapi/chat_answer.h"
#include "messagesapi/chat_files.h"
#include "messagesapi/chat_request.h"
#include "messagesapi/form_inputs.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "messagesapi/title.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/store.h"
#include "store/tasks.h"

/* What is read of a conversation for the prompt, at the most. */
#define HISTORY_MESSAGES 500
#define HISTORY_BYTES (512U * 1024U)

/* A turn that is being prepared. */
struct preparation {
	struct exchange *x;
	struct chat_request request;
	struct db *db;
	struct end_user_row end_user; /* seq 0: not seen before */
	struct conversation_row conversation;
	bool new_conversation;
	struct chat_files files;
	struct form_inputs inputs;
	struct message_row message;
	struct chat_start start;
	struct annotation_row annotation;
	struct chat_annotation annotation_reported;
	bool answered;
	/* Why the rows could not be made, when the client is to blame. */
	bool refused;
	enum reply_error refusal;
	struct turn_need need;
	struct limits_verdict verdict;
};

static enum err
answered(struct preparation *p, enum err err)
{
	p->answered = true;
	return err;
}

static enum err
find_conversation(struct preparation *p)
{
	const struct app_caller *caller = messagesapi_caller(p->x);
	struct arena *arena = p->x->request.arena;
	enum err err;

	err = end_users_find(p->db, caller->app_id, p->request.user.name,
	    arena, &p->end_user);
	if (err != ERR_NONE && err != ERR_NOT_FOUND)
		return err;
	p->new_conversation = p->request.conversation_id[0] == '\0';
	if (p->new_conversation)
		return ERR_NONE;
	if (err == ERR_NONE)
		err = conversations_find(p->db, p->end_user.seq,
		    span_of(p->request.conversation_id), arena,
		    &p->conversation);
	if (err == ERR_NOT_FOUND)
		return answered(p, reply_error(p->x, REPLY_CONVERSATION));
	return err;
}

/* Refuses what has no chance.  bot: NULL without its cap; key alike. */
static enum err
check_limits(struct preparation *p, const struct key_config *key,
    const struct bot_config *bot)
{
	struct limits_ask ask = {
	    .key = key,
	    .bot = bot,
	    .user = p->request.user.name,
	    .min_tokens = p->annotation.seq != 0 ? 0 : 1,
	};
	struct limits_verdict v;
	enum err err;

	if (!limits_any(&ask) || store_has_deferred(p->x->stores))
		return ERR_NONE;
	err = limits_check(p->db, &ask, &v);
	if (err != ERR_NONE || v.refusal == LIMITS_ALLOWED)
		return err;
	return answered(p, reply_too_many(p->x, limits_text(v.refusal),
	    v.retry_after_s));
}

/* What the client gave that only the app can judge. */
static enum err
check_content(struct preparation *p)
{
	const struct bot_config *bot = p->x->caller->bot;
	const char *why = NULL;
	enum err err = ERR_NONE;

	if (p->request.query.len == 0)
		return answered(p, reply_invalid(p->x, NULL,
		    "query is required"));
	if (bot->engines.n == 0)
		return answered(p,
		    reply_error(p->x, REPLY_APP_UNAVAILABLE));
	if (p->request.files != NULL && chat_files_wanted(bot))
		err = chat_files_read(p->x, p->db, p->end_user.seq,
		    p->request.files, &p->files, &why);
	if (err == ERR_NONE)
		err = form_inputs_read(p->x, p->db, p->end_user.seq,
		    p->request.inputs, &p->files, &p->inputs, &why);
	if (err == ERR_INPUT)
		return answered(p, reply_invalid(p->x, NULL, "%s", why));
	return err;
}

static enum err
find_annotation(struct preparation *p)
{
	const struct bot_config *bot = p->x->caller->bot;
	struct annotation_policy policy;
	enum err err = annotation_policy_load(p->db, bot, &policy);

	if (err != ERR_NONE || !policy.enabled)
		return err;
	return annotation_match(p->db, bot, policy.threshold,
	    p->request.query, p->x->request.arena, &p->annotation);
}

/* What was said before, as user and assistant by turns. */
static enum err
read_history(struct preparation *p)
{
	struct turn_setup *setup = &p->start.setup;
	struct chat_message *history;
	struct message_pair *pairs;
	size_t n, i;
	enum err err;

	if (p->new_conversation || p->annotation.seq != 0)
		return ERR_NONE;
	err = messages_history(p->db, p->conversation.seq, 0,
	    HISTORY_MESSAGES, HISTORY_BYTES, p->x->request.arena, &pairs, &n);
	if (err != ERR_NONE)
		return err;
	history = arena_array(p->x->request.arena, 2 * n, sizeof(*history));
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
add_conversation(struct preparation *p, struct db *db, int64_t now_us)
{
	const struct bot_config *bot = p->x->caller->bot;
	struct arena *arena = p->x->request.arena;
	struct conversation_row *c = &p->conversation;

	c->id = arena_strdup(arena, p->start.ids.conversation_id);
	c->name = SPAN(CONVERSATION_NEW_NAME);
	c->named = NAMED_NOT;
	c->inputs = p->inputs.json;
	c->introduction = form_inputs_fill(arena,
	    bot->opening_statement == NULL ? "" : bot->opening_statement,
	    &p->inputs);
	c->created_us = c->updated_us = now_us;
	if (c->id == NULL || c->introduction.data == NULL)
		return ERR_MEMORY;
	return conversations_add(db, p->end_user.seq, c);
}

static enum err
add_message(struct preparation *p, struct db *db, int64_t now_us)
{
	struct message_row *m = &p->message;
	size_t i;
	enum err err;

	m->id = p->start.ids.message_id;
	m->conversation = p->conversation.seq;
	m->end_user = p->end_user.seq;
	m->created_us = now_us;
	m->inputs = p->inputs.json;
	m->query = p->request.query;
	m->n_files = (int64_t)p->files.n;
	err = messages_add(db, p->x->caller->bot->uid, m);
	for (i = 0; i < p->files.n && err == ERR_NONE; i++)
		err = message_files_add(db, m->seq, &p->files.rows[i]);
	return err;
}

static enum err
refuse(struct preparation *p, enum reply_error refusal)
{
	p->refused = true;
	p->refusal = refusal;
	return ERR_INPUT;
}

/* Reserves what key, end user and bot may still use. */
static enum err
reserve(struct preparation *p, struct db *db)
{
	const struct caller *caller = p->x->caller;
	struct limits_ask ask = {
	    .key = caller->key,
	    .bot = caller->bot,
	    .user = p->request.user.name,
	    .min_tokens = p->need.min,
	    .max_tokens = p->need.max + title_job_max(p->start.title_job),
	    .run_limit_s = p->x->config->server.turn_limit_s,
	};
	enum err err =
	    limits_reserve(db, &ask, &p->start.reservation, &p->verdict);

	if (err == ERR_NONE && p->verdict.refusal != LIMITS_ALLOWED)
		return refuse(p, REPLY_TOO_MANY);
	return err;
}

/* The answer to a turn that could not start. */
static enum err
answer_refusal(struct preparation *p)
{
	if (p->verdict.refusal == LIMITS_ALLOWED)
		return reply_error(p->x, p->refusal);
	return reply_too_many(p->x, limits_text(p->verdict.refusal),
	    p->verdict.retry_after_s);
}

/* A store_change: all rows of a turn that starts. */
static enum err
add_rows(struct db *db, void *arg)
{
	struct preparation *p = arg;
	const struct app_caller *caller = messagesapi_caller(p->x);
	int64_t now_us = clock_now_us();
	/* Exact: nobody else can write now. */
	enum err err = reserve(p, db);

	p->start.ids.created_at = now_us / 1000000;
	if (err == ERR_NONE)
		err = end_users_ensure(db, caller->app_id,
		    p->request.user.name, false, now_us, p->x->request.arena,
		    &p->end_user);
	if (err == ERR_NONE && p->new_conversation)
		err = add_conversation(p, db, now_us);
	else if (err == ERR_NONE)
		err = conversations_touch(db, p->conversation.seq, now_us);
	if (err == ERR_NOT_FOUND) /* deleted since we looked */
		return refuse(p, REPLY_CONVERSATION);
	if (err == ERR_NONE)
		err = add_message(p, db, now_us);
	/* Of a blocking answer nobody knows the task before its end. */
	if (err == ERR_NONE && p->request.streaming)
		err = task_insert(db, p->start.ids.task_id, caller->app_id,
		    p->request.user.name);
	return err;
}

static enum err
make_ids(struct preparation *p)
{
	struct chat_ids *ids = &p->start.ids;
	enum err err = uuid_random(ids->task_id);

	if (err == ERR_NONE)
		err = uuid_random(ids->message_id);
	if (err == ERR_NONE && p->new_conversation)
		err = uuid_random(ids->conversation_id);
	if (!p->new_conversation)
		memcpy(ids->conversation_id, p->request.conversation_id,
		    UUID_TEXT);
	return err;
}

static enum err
write_rows(struct preparation *p)
{
	enum err err = make_ids(p);

	/* A power cut ends the turn that they begin. */
	if (err == ERR_NONE)
		err = store_write_unsynced(p->x->stores, add_rows, p, NULL);
	if (err != ERR_NONE && p->refused)
		return answered(p, answer_refusal(p));
	/* A file that was removed since it was looked up (store/clean.h). */
	if (err == ERR_CONFLICT && p->files.n > 0)
		return answered(p, reply_invalid(p->x, NULL,
		    "Invalid upload file"));
	return err;
}

/* All that is read of the store, on one short lease. */
static enum err
look_up(struct preparation *p)
{
	enum err err = store_lease(p->x->stores, &p->db);

	if (err != ERR_NONE)
		return err;
	err = find_conversation(p);
	if (err == ERR_NONE && !p->answered)
		err = check_limits(p, NULL, p->x->caller->bot);
	if (err == ERR_NONE && !p->answered)
		err = check_content(p);
	if (err == ERR_NONE && !p->answered)
		err = find_annotation(p);
	if (err == ERR_NONE && !p->answered)
		err = check_limits(p, p->x->caller->key, NULL);
	if (err == ERR_NONE && !p->answered)
		err = read_history(p);
	store_return(p->x->stores, p->db);
	p->db = NULL;
	return err;
}

/* What the answer needs besides its rows. */
static enum err
set_up(struct preparation *p)
{
	struct exchange *x = p->x;
	struct turn_setup *setup = &p->start.setup;
	char account[UUID_TEXT];

	p->start.message = &p->message;
	p->start.streaming = p->request.streaming;
	if (p->new_conversation && p->request.auto_name) {
		p->start.title = title_from_query(x->request.arena,
		    p->request.query);
		if (p->start.title.data == NULL)
			return ERR_MEMORY;
	}
	setup->config = x->config;
	setup->bot = x->caller->bot;
	setup->stores = x->stores;
	setup->worker = x->worker;
	setup->arena = x->request.arena;
	setup->question = p->request.query;
	setup->inputs = p->inputs.values;
	setup->n_inputs = p->inputs.n;
	setup->files = p->files.engine;
	setup->n_files = p->files.n;
	setup->user = arena_strndup(x->request.arena,
	    p->request.user.name.data, p->request.user.name.len);
	if (p->annotation.seq != 0) {
		messagesapi_tenant(x, account);
		p->annotation_reported = (struct chat_annotation){
		    .id = p->annotation.id,
		    .account_id = arena_strdup(x->request.arena, account),
		    .account_name = x->config->server.name,
		};
		p->start.annotation = &p->annotation_reported;
		p->start.annotation_seq = p->annotation.seq;
		p->start.annotation_answer = p->annotation.answer;
	}
	return ERR_NONE;
}

/* The turn and what names its conversation, as far as they go without a
 * reservation: nobody is asked yet. */
static enum err
prepare_turn(struct preparation *p)
{
	const struct turn_setup *setup = &p->start.setup;
	struct exchange *x = p->x;
	enum err err;

	if (p->start.annotation != NULL)
		return ERR_NONE;
	err = turn_start(setup, &p->start.turn);
	if (err == ERR_NONE && p->start.title.len > 0)
		title_job_start(x->config, setup->bot, x->worker,
		    x->request.arena, setup->question, &p->start.title_job);
	if (err == ERR_NONE && limits_tokens(&(struct limits_ask){
		.key = x->caller->key}))
		turn_need(p->start.turn, &p->need);
	return err;
}

/* Shares what was reserved: the answer goes first. */
static void
allow(struct preparation *p)
{
	int64_t tokens = p->start.reservation.tokens;
	int64_t title = title_job_max(p->start.title_job);

	if (tokens == 0 || p->start.turn == NULL)
		return;
	if (title > 0 && tokens - title >= p->need.max) {
		title_job_allow(p->start.title_job);
		tokens -= title;
	} else {
		title_job_end(p->start.title_job);
		p->start.title_job = NULL;
	}
	turn_allow(p->start.turn, tokens);
}

enum err
chat_messages_post(struct exchange *x)
{
	struct preparation *p = arena_alloc(x->request.arena, sizeof(*p));
	enum err err = ERR_NONE;

	if (p == NULL)
		return ERR_MEMORY;
	p->x = x;
	if (!chat_request_read(x, &p->request, &err))
		return err;
	err = look_up(p);
	if (err == ERR_NONE && !p->answered)
		err = set_up(p);
	if (err == ERR_NONE && !p->answered)
		err = prepare_turn(p);
	if (err == ERR_NONE && !p->answered)
		err = write_rows(p);
	if (err == ERR_NONE && !p->answered) {
		allow(p);
		return chat_answer_begin(x, &p->start);
	}
	title_job_end(p->start.title_job);
	turn_free(p->start.turn);
	return err;
}

enum err
chat_messages_stop(struct exchange *x)
{
	const struct app_caller *caller = messagesapi_caller(x);
	const struct pyjson *body;
	struct api_user user;
	struct db *db;
	enum err err;

	if (!parse_body(x, &body, &err) ||
	    !parse_user(x, body, true, &user, &err))
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = task_request_stop(db, x->captures[0], caller->app_id, user.name,
	    NULL);
	store_return(x->stores, db);
	return err != ERR_NONE ? err : reply_success(x);
}
