/* Waiting for a model's name for a conversation. */
#include "messagesapi/name_answer.h"

#include "auth/caller.h"
#include "base/clock.h"
#include "base/log.h"
#include "limits/limits.h"
#include "messagesapi/reply.h"
#include "messagesapi/title.h"
#include "store/store.h"

#define MAX_MS 30000

struct name_answer {
	struct answer answer; /* first: they share an address */
	struct exchange *x;
	struct conversation_row *conversation;
	name_answer_send send;
	struct title_job *title;
	struct limits_reservation reservation;
	int64_t limit_ms;
	bool gone, done;
};

/* What is stored at the end. */
struct naming {
	struct limits_reservation reservation;
	int64_t spent;
	int64_t conversation;
	struct span title; /* empty: the old name stays */
};

/* A store_change. */
static enum err
store_naming(struct db *db, void *arg)
{
	const struct naming *n = arg;
	enum err err = limits_settle(db, &n->reservation, n->spent);

	if (err == ERR_NONE && n->title.len > 0)
		err = conversations_title(db, n->conversation, n->title, true);
	return err;
}

static void
finish(struct name_answer *n)
{
	struct naming naming = {.reservation = n->reservation,
	    .conversation = n->conversation->seq};
	enum err err = ERR_NONE;

	n->done = true;
	if (!n->gone)
		naming.title = title_job_text(n->title);
	title_job_end(n->title);
	naming.spent = title_job_spent(n->title);
	if (n->reservation.id != 0 || naming.title.len > 0)
		err = store_write(n->x->stores, store_naming, &naming);
	if (err == ERR_NONE && naming.title.len > 0)
		n->conversation->name = naming.title;
	if (err != ERR_NONE) {
		log_error("naming a conversation: %s", err_text(err));
		naming.title = SPAN("");
		if (n->reservation.id != 0)
			store_defer(n->x->stores, store_naming, &naming,
			    sizeof(naming));
	}
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

struct reservation {
	struct limits_ask ask;
	struct limits_reservation *reservation;
	struct limits_verdict verdict;
};

/* A store_change. */
static enum err
store_reservation(struct db *db, void *arg)
{
	struct reservation *r = arg;

	return limits_reserve(db, &r->ask, r->reservation, &r->verdict);
}

/* What the key allows.  False: refused, or *err says why not. */
static bool
reserve(struct name_answer *n, struct span user, enum err *err)
{
	struct reservation r = {
	    .ask = {.key = n->x->caller->key,
		.user = user,
		.min_tokens = title_job_max(n->title),
		.max_tokens = title_job_max(n->title),
		.run_limit_s = MAX_MS / 1000},
	    .reservation = &n->reservation,
	};

	*err = ERR_NONE;
	if (!limits_any(&r.ask))
		return true;
	*err = store_write_unsynced(n->x->stores, store_reservation, &r, NULL);
	if (*err != ERR_NONE)
		return false;
	if (n->reservation.tokens > 0)
		title_job_allow(n->title);
	if (r.verdict.refusal != LIMITS_ALLOWED)
		*err = reply_too_many(n->x, limits_text(r.verdict.refusal),
		    r.verdict.retry_after_s);
	return r.verdict.refusal == LIMITS_ALLOWED;
}

enum err
name_answer_begin(struct exchange *x, struct span user,
    struct conversation_row *c, struct span query, name_answer_send send,
    bool *started)
{
	enum err err;

	struct name_answer *n = arena_alloc(x->request.arena, sizeof(*n));

	*started = false;
	if (n == NULL)
		return ERR_MEMORY;
	*n = (struct name_answer){
	    .answer = {step, interests, client_gone, release},
	    .x = x,
	    .conversation = c,
	    .send = send,
	    .limit_ms = clock_monotonic_ms() + MAX_MS,
	};
	title_job_start(x->config, x->caller->bot, x->worker,
	    x->request.arena, query, &n->title);
	if (n->title == NULL)
		return ERR_NONE;
	*started = true;
	if (!reserve(n, user, &err)) {
		title_job_end(n->title);
		return err;
	}
	x->answer = &n->answer;
	return ERR_NONE;
}
