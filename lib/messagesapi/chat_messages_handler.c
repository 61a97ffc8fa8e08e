/*
 * POST /chat-messages and its stop.
 *
 * The order of checks is the contract's (2): body, user, schema of all
 * fields, conversation, cap, query, app, files, inputs.  Until then nothing
 * is written; then the answer takes over (chat_answer.h).
 */
#include "messagesapi/handlers.h"

#include <string.h>

#include "base/clock.h"
#include "durable/durable_reply.h"
#include "messagesapi/annotation_match.h"
#include "messagesapi/chat_answer.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "store/store.h"

/* What is read of a conversation for the prompt, at the most. */
#define HISTORY_MESSAGES 500
#define HISTORY_BYTES (512U * 1024U)

/* A turn that is being prepared. */
struct preparation {
	struct chat_answer *a;
	struct exchange *x;
	struct db *db;
	bool answered;
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

	err = end_users_find(p->db, caller->app_id, p->a->request.user.name,
	    arena, &p->a->end_user);
	if (err != ERR_NONE && err != ERR_NOT_FOUND)
		return err;
	p->a->new_conversation = p->a->request.conversation_id[0] == '\0';
	if (p->a->new_conversation)
		return ERR_NONE;
	if (err == ERR_NONE)
		err = conversations_find(p->db, p->a->end_user.seq,
		    span_of(p->a->request.conversation_id), arena,
		    &p->a->conversation);
	if (err == ERR_NOT_FOUND)
		return answered(p, reply_error(p->x, REPLY_CONVERSATION));
	return err;
}

/* Refuses what has no chance.  bot: NULL without its cap; key alike. */
static enum err
check_limits(struct preparation *p, const struct key_config *key,
    const struct bot_config *bot)
{
	return turn_run_check(&p->a->run, p->db, key, bot, &p->answered);
}

/* What the client gave that only the app can judge. */
static enum err
check_content(struct preparation *p)
{
	const struct bot_config *bot = p->x->caller->bot;
	const char *why = NULL;
	enum err err = ERR_NONE;

	if (p->a->request.query.len == 0)
		return answered(p, reply_invalid(p->x, NULL,
		    "query is required"));
	if (bot->engines.n == 0)
		return answered(p,
		    reply_error(p->x, REPLY_APP_UNAVAILABLE));
	if (p->a->request.files != NULL && chat_files_wanted(bot))
		err = chat_files_read(p->x, p->db, p->a->end_user.seq,
		    p->a->request.files, &p->a->files, &why);
	if (err == ERR_NONE)
		err = form_inputs_read(p->x, p->db, p->a->end_user.seq,
		    p->a->request.inputs, &p->a->files, &p->a->inputs, &why);
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
	err = annotation_match(p->db, bot, policy.threshold,
	    p->a->request.query, p->x->request.arena, &p->a->annotation);
	p->a->run.no_turn = p->a->annotation.seq != 0;
	return err;
}

/* What was said before, as user and assistant by turns. */
static enum err
read_history(struct preparation *p)
{
	struct turn_setup *setup = &p->a->run.setup;
	struct chat_message *history;
	struct message_pair *pairs;
	size_t n, i;
	enum err err;

	if (p->a->new_conversation || p->a->run.no_turn)
		return ERR_NONE;
	err = messages_history(p->db, p->a->conversation.seq, 0,
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
make_ids(struct chat_answer *a)
{
	struct chat_ids *ids = &a->ids;
	enum err err = uuid_random(ids->task_id);

	if (err == ERR_NONE)
		err = uuid_random(ids->message_id);
	if (err == ERR_NONE && a->new_conversation)
		err = uuid_random(ids->conversation_id);
	if (!a->new_conversation)
		memcpy(ids->conversation_id, a->request.conversation_id,
		    UUID_TEXT);
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
set_up(struct chat_answer *a)
{
	struct turn_run *r = &a->run;
	struct exchange *x = r->x;
	struct arena *arena = x->request.arena;
	char account[UUID_TEXT];

	r->stream = a->request.streaming;
	r->ask.key = x->caller->key;
	r->ask.bot = x->caller->bot;
	r->task_id = r->stream ? a->ids.task_id : NULL;
	r->setup.question = a->request.query;
	r->setup.inputs = a->inputs.values;
	r->setup.n_inputs = a->inputs.n;
	r->setup.files = a->files.engine;
	r->setup.n_files = a->files.n;
	r->setup.user = arena_strndup(arena, a->request.user.name.data,
	    a->request.user.name.len);
	if (a->new_conversation && a->request.auto_name) {
		a->title = title_from_query(arena, a->request.query);
		if (a->title.data == NULL)
			return ERR_MEMORY;
		if (a->title.len > 0 && !r->no_turn)
			r->title_query = a->request.query;
	}
	if (r->no_turn) {
		messagesapi_tenant(x, account);
		a->annotation_reported = (struct chat_annotation){
		    .id = a->annotation.id,
		    .account_id = arena_strdup(arena, account),
		    .account_name = x->config->server.name,
		};
		r->said = a->annotation.answer;
	}
	return make_ids(a);
}

enum err
chat_messages_post(struct exchange *x)
{
	struct chat_answer *a = arena_alloc(x->request.arena, sizeof(*a));
	struct preparation p = {.a = a, .x = x};
	enum err err = ERR_NONE;

	if (a == NULL)
		return ERR_MEMORY;
	turn_run_init(&a->run, x, &chat_answer_view, x->caller->bot);
	if (!chat_request_read(x, &a->request, &err))
		return err;
	a->run.ask.user = a->request.user.name;
	err = look_up(&p);
	if (err == ERR_NONE && !p.answered)
		err = set_up(a);
	if (err != ERR_NONE || p.answered)
		return err;
	return turn_run_begin(&a->run);
}

/* A task that is to stop. */
struct stop {
	struct span task;
	const char *app;
	struct api_user user;
};

/* A store_change. */
static enum err
store_stop(struct db *db, void *arg)
{
	const struct stop *s = arg;

	return task_request_stop(db, s->task, s->app, s->user.name, NULL);
}

enum err
chat_messages_stop(struct exchange *x)
{
	struct stop stop = {.task = x->captures[0],
	    .app = messagesapi_caller(x)->app_id};
	const struct pyjson *body;
	enum err err;

	if (!parse_body(x, &body, &err) ||
	    !parse_user(x, body, true, &stop.user, &err))
		return err;
	err = durable_reply_write(x, store_stop, &stop);
	return err != ERR_NONE ? err : reply_success(x);
}
