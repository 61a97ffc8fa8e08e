/*
 * POST /chat-messages and its stop.
 *
 * The order of checks is the contract's (2): body, user, schema of all
 * fields, conversation, cap, query, app, files, inputs.  Until then nothing
 * is written; then the answer takes over (chat_answer.h).
 */
#include "messagesapi/handlers.h"

#include <string.h>

#include "auth/caller.h"
#include "durable/durable_reply.h"
#include "messagesapi/chat_answer.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "store/store.h"

/* A turn that is being prepared. */
struct preparation {
	struct chat_answer *a;
	struct exchange *x;
	struct db *db;
};

static enum err
find_conversation(struct preparation *p)
{
	enum err err = dialogue_find(&p->a->dialogue, p->db,
	    span_of(p->a->request.conversation_id));

	if (err == ERR_NOT_FOUND)
		return reply_error(p->x, REPLY_CONVERSATION);
	return err;
}

/* What the client gave that only the app can judge. */
static enum err
check_content(struct preparation *p)
{
	const struct bot_config *bot = p->x->caller->bot;
	const char *why = NULL;
	enum err err = ERR_NONE;

	if (p->a->request.query.len == 0)
		return reply_invalid(p->x, NULL, "query is required");
	if (bot->engines.n == 0)
		return reply_error(p->x, REPLY_APP_UNAVAILABLE);
	if (p->a->request.files != NULL && chat_files_wanted(bot))
		err = chat_files_read(p->x, p->db, p->a->dialogue.end_user.seq,
		    p->a->request.files, &p->a->files, &why);
	if (err == ERR_NONE)
		err = form_inputs_read(p->x, p->db, p->a->dialogue.end_user.seq,
		    p->a->request.inputs, &p->a->files, &p->a->inputs, &why);
	if (err == ERR_INPUT)
		return reply_invalid(p->x, NULL, "%s", why);
	return err;
}

/* All that is read of the store, on one short lease. */
static enum err
look_up(struct preparation *p)
{
	enum err err = store_lease(p->x->stores, &p->db);
	struct turn_run *run = &p->a->dialogue.run;

	if (err != ERR_NONE)
		return err;
	err = find_conversation(p);
	if (err == ERR_NONE)
		err = turn_run_check(run, p->db, NULL,
		    p->x->caller->bot);
	if (err == ERR_NONE)
		err = check_content(p);
	if (err == ERR_NONE)
		err = dialogue_find_annotation(&p->a->dialogue, p->db);
	if (err == ERR_NONE)
		err = turn_run_check(run, p->db, p->x->caller->key,
		    NULL);
	if (err == ERR_NONE)
		err = dialogue_read_history(&p->a->dialogue, p->db);
	store_return(p->x->stores, p->db);
	p->db = NULL;
	return err;
}

/* How a conversation begins, its variables filled. */
static enum err
introduce(struct chat_answer *a)
{
	struct dialogue *d = &a->dialogue;
	const struct bot_config *bot = d->run.setup.bot;

	if (!d->new_conversation)
		return ERR_NONE;
	d->introduction = form_inputs_fill(d->run.x->request.arena,
	    bot->opening_statement == NULL ? "" : bot->opening_statement,
	    &a->inputs);
	return d->introduction.data == NULL ? ERR_MEMORY : ERR_NONE;
}

/* What the answer needs besides its rows. */
static enum err
set_up(struct chat_answer *a)
{
	struct dialogue *d = &a->dialogue;
	struct exchange *x = d->run.x;
	char account[UUID_TEXT];
	enum err err;

	d->run.ask.key = x->caller->key;
	d->run.setup.inputs = a->inputs.values;
	d->run.setup.n_inputs = a->inputs.n;
	d->run.setup.files = a->files.engine;
	d->run.setup.n_files = a->files.n;
	d->auto_name = a->request.auto_name;
	d->inputs = a->inputs.json;
	d->files = a->files.rows;
	d->n_files = a->files.n;
	if (d->annotation.seq != 0) {
		messagesapi_tenant(x, account);
		d->annotation_reported = (struct chat_annotation){
		    .id = d->annotation.id,
		    .account_id = arena_strdup(x->request.arena, account),
		    .account_name = x->config->server.name,
		};
	}
	err = introduce(a);
	return err != ERR_NONE ? err : dialogue_set_up(d);
}

enum err
chat_messages_post(struct exchange *x)
{
	struct chat_answer *a = arena_alloc(x->request.arena, sizeof(*a));
	struct preparation p = {.a = a, .x = x};
	enum err err = ERR_NONE;

	if (a == NULL)
		return ERR_MEMORY;
	turn_run_init(&a->dialogue.run, x, &chat_answer_view, x->caller->bot);
	err = chat_request_read(x, &a->request);
	if (err != ERR_NONE)
		return err;
	a->dialogue.app_id = messagesapi_caller(x)->app_id;
	a->dialogue.query = a->request.query;
	a->dialogue.user = a->request.user.name;
	a->dialogue.run.stream = a->request.streaming;
	a->dialogue.run.ask.user = a->request.user.name;
	err = look_up(&p);
	if (err == ERR_NONE)
		err = set_up(a);
	return err != ERR_NONE ? err : dialogue_begin(&a->dialogue);
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

	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, true, &stop.user);
	if (err != ERR_NONE)
		return err;
	err = durable_reply_write(x, store_stop, &stop);
	return err != ERR_NONE ? err : reply_success(x);
}
