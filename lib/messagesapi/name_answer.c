/* Waiting for a model's name for a conversation. */
#include "messagesapi/name_answer.h"

#include "auth/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "messagesapi/title.h"
#include "store/store.h"

#define MOST_MS 30000

struct name_answer {
	struct answer answer; /* first: they share an address */
	struct exchange *x;
	struct conversation_row *conversation;
	name_answer_send send;
	struct title_job *title;
	int64_t limit_ms;
	bool gone, done;
};

static enum err
store_name(struct name_answer *n, struct span title)
{
	struct db *db;
	enum err err = store_lease(n->x->stores, &db);

	if (err != ERR_NONE)
		return err;
	err = conversations_title(db, n->conversation->seq, title, true);
	store_return(n->x->stores, db);
	return err;
}

static void
finish(struct name_answer *n)
{
	struct span title = title_job_text(n->title);
	enum err err;

	n->done = true;
	if (title.len > 0 && !n->gone) {
		err = store_name(n, title);
		if (err == ERR_NONE)
			n->conversation->name = title;
		else
			log_error("naming a conversation: %s", err_text(err));
	}
	title_job_end(n->title);
	if (!n->gone && n->send(n->x, n->conversation) != ERR_NONE)
		n->gone = true;
}

static enum answer_state
step(struct answer *a, int64_t now_ms, const struct interests *ready)
{
	struct name_answer *n = (struct name_answer *)(void *)a;

	if (!n->done && (title_job_step(n->title, now_ms, ready) || n->gone ||
			    now_ms >= n->limit_ms))
		finish(n);
	return n->done ? ANSWER_DONE : ANSWER_WAIT;
}

static void
interests(struct answer *a, struct interests *in)
{
	struct name_answer *n = (struct name_answer *)(void *)a;

	title_job_interests(n->title, in);
	interests_wake(in, n->limit_ms);
}

static void
client_gone(struct answer *a)
{
	((struct name_answer *)(void *)a)->gone = true;
}

static void
release(struct answer *a)
{
	title_job_end(((struct name_answer *)(void *)a)->title);
}

enum err
name_answer_begin(struct exchange *x, struct conversation_row *c,
    struct span query, name_answer_send send, bool *started)
{
	struct name_answer *n = arena_alloc(x->request.arena, sizeof(*n));

	*started = false;
	if (n == NULL)
		return ERR_MEMORY;
	*n = (struct name_answer){
	    .answer = {step, interests, client_gone, release},
	    .x = x,
	    .conversation = c,
	    .send = send,
	    .limit_ms = clock_monotonic_ms() + MOST_MS,
	};
	title_job_start(x->config, x->caller->bot, x->worker,
	    x->request.arena, query, &n->title);
	if (n->title == NULL)
		return ERR_NONE;
	x->answer = &n->answer;
	*started = true;
	return ERR_NONE;
}
