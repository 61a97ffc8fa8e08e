/*
 * A visitor's own conversation: shown again after a reload, rated, removed.
 * Nothing here takes an id from anybody but him: rows are found below the end
 * user that his signed token names.
 */
#include <string.h>

#include "base/clock.h"
#include "durable/durable_reply.h"
#include "json/jsonout.h"
#include "site/site_handlers.h"
#include "site/site_reply.h"
#include "site/site_request.h"
#include "store/conversations.h"
#include "store/end_users.h"
#include "store/feedback.h"
#include "store/messages.h"
#include "store/retention.h"
#include "store/store.h"
#include "store/tasks.h"

#define MESSAGES_MAX 100
#define REPLY_MAX ((size_t)16 << 20)

static enum err
send_json(struct exchange *x, struct buf *body)
{
	enum err err = response_header(&x->response, "Cache-Control",
	    SPAN("no-store"));

	if (err == ERR_NONE)
		err = response_send_json(&x->response, 200, body);
	buf_release(body);
	return err;
}

static enum err
send_success(struct exchange *x)
{
	struct buf body = BUF_INIT(64);

	buf_adds(&body, "{\"result\":\"success\"}");
	return send_json(x, &body);
}

/* The end user that a visitor is. ERR_NOT_FOUND: he has asked nothing. */
static enum err
find_end_user(struct exchange *x, struct db *db, const struct site_request *r,
    struct end_user_row *row)
{
	if (r->visitor.is_new)
		return ERR_NOT_FOUND;
	return end_users_find(db, r->site->app_id, span_of(r->visitor.id),
	    x->request.arena, row);
}

/* ---- what was said ------------------------------------------------------ */

static void
message_json(struct buf *out, const struct message_row *m)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", m->id);
	jsonout_member(out, "question", m->query);
	jsonout_member(out, "answer", m->answer);
	jsonout_member_cstring(out, "status",
	    m->state == MESSAGE_ERROR ? "error" : "normal");
	jsonout_member_cstring(out, "rating", m->rating);
	jsonout_member_raw(out, "citations", m->resources.len > 0
		? m->resources
		: SPAN("[]"));
	jsonout_member_int(out, "created_at", m->created_us / 1000000);
	buf_addc(out, '}');
}

/* The conversation that is named, else the last one. */
static enum err
find_conversation(struct exchange *x, struct db *db, int64_t end_user,
    struct conversation_row *c)
{
	struct arena *arena = x->request.arena;
	struct conversation_row *rows;
	struct span id;
	bool more;
	size_t n;
	enum err err;

	if (request_query(&x->request, "conversation_id", &id) && id.len > 0)
		return conversations_find(db, end_user, id, arena, c);
	err = conversations_page(db, end_user, BY_UPDATE_DOWN, NULL, 1, arena,
	    &rows, &n, &more);
	if (err == ERR_NONE && n == 0)
		return ERR_NOT_FOUND;
	if (err == ERR_NONE)
		*c = rows[0];
	return err;
}

enum err
site_messages_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct conversation_row c = {.id = NULL};
	struct message_row *rows = NULL;
	struct end_user_row end_user;
	struct site_request r;
	struct db *db;
	bool more = false;
	size_t n = 0, i;
	enum err err;

	if (!site_request_read(x, &r, &err))
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = find_end_user(x, db, &r, &end_user);
	if (err == ERR_NONE)
		err = find_conversation(x, db, end_user.seq, &c);
	if (err == ERR_NONE)
		err = messages_page(db, c.seq, 0, MESSAGES_MAX,
		    x->request.arena, &rows, &n, &more);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return site_refuse(x, SITE_REFUSED_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "conversation_id", c.id);
	jsonout_member_bool(&body, "has_more", more);
	jsonout_name(&body, "messages");
	buf_addc(&body, '[');
	for (i = 0; i < n; i++)
		if (rows[i].state != MESSAGE_RUNNING)
			message_json(&body, &rows[i]);
	buf_adds(&body, "]}");
	return send_json(x, &body);
}

/* ---- thumbs -------------------------------------------------------------- */

struct rating {
	const struct site_request *r;
	struct exchange *x;
	struct span message_id;
	const char *rating; /* NULL: taken back */
};

/* A store_change. */
static enum err
store_rating(struct db *db, void *arg)
{
	const struct rating *given = arg;
	int64_t now_us = clock_now_us();
	struct end_user_row end_user;
	struct message_row m;
	enum err err = find_end_user(given->x, db, given->r, &end_user);

	if (err == ERR_NONE)
		err = messages_find(db, end_user.seq, given->message_id,
		    given->x->request.arena, &m);
	if (err != ERR_NONE)
		return err;
	if (given->rating != NULL)
		return feedback_set(db, given->r->site->app_id, m.seq,
		    end_user.seq, given->rating, SPAN_NONE, now_us);
	err = feedback_remove(db, m.seq, end_user.seq);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

enum err
site_feedback_post(struct exchange *x)
{
	struct site_request r;
	struct rating given = {.x = x, .r = &r};
	const struct pyjson *rating;
	enum err err;

	if (!site_request_read(x, &r, &err))
		return err;
	given.message_id = pyjson_string(pyjson_get(r.body, "message_id"));
	rating = pyjson_get(r.body, "rating");
	if (span_is(pyjson_string(rating), "like"))
		given.rating = "like";
	else if (span_is(pyjson_string(rating), "dislike"))
		given.rating = "dislike";
	else if (pyjson_given(rating))
		return site_refuse(x, SITE_REFUSED_BODY);
	if (!uuid_is_hyphenated(given.message_id))
		return site_refuse(x, SITE_REFUSED_MESSAGE);
	err = durable_reply_write(x, store_rating, &given);
	if (err == ERR_NOT_FOUND)
		return site_refuse(x, SITE_REFUSED_MESSAGE);
	return err != ERR_NONE ? err : send_success(x);
}

/* ---- stop ---------------------------------------------------------------- */

struct stop {
	const struct site_request *r;
	struct span task;
};

/* A store_change. */
static enum err
store_stop(struct db *db, void *arg)
{
	const struct stop *s = arg;

	return task_request_stop(db, s->task, s->r->site->app_id,
	    span_of(s->r->visitor.id), NULL);
}

enum err
site_stop_post(struct exchange *x)
{
	struct site_request r;
	struct stop stop = {.r = &r};
	enum err err;

	if (!site_request_read(x, &r, &err))
		return err;
	stop.task = pyjson_string(pyjson_get(r.body, "task_id"));
	if (!uuid_is_hyphenated(stop.task))
		return site_refuse(x, SITE_REFUSED_BODY);
	err = durable_reply_write(x, store_stop, &stop);
	return err != ERR_NONE ? err : send_success(x);
}

/* ---- "delete my conversation" -------------------------------------------- */

#define REMOVE_AT_ONCE 50

struct removal {
	struct exchange *x;
	const struct site_request *r;
	struct retention_counts counts;
	bool more;
};

/* A store_change: a piece of all that he said here. */
static enum err
remove_words(struct db *db, void *arg)
{
	struct removal *removal = arg;
	struct end_user_row end_user;
	enum err err = find_end_user(removal->x, db, removal->r, &end_user);

	removal->more = false;
	removal->counts = (struct retention_counts){0};
	if (err == ERR_NOT_FOUND)
		return ERR_NONE;
	if (err != ERR_NONE)
		return err;
	return retention_remove_user(db, end_user.seq, REMOVE_AT_ONCE,
	    &removal->counts, &removal->more);
}

enum err
site_messages_delete(struct exchange *x)
{
	struct site_request r;
	struct removal removal = {.x = x, .r = &r};
	int64_t conversations = 0, messages = 0;
	struct buf body = BUF_INIT(256);
	enum err err;

	if (!site_request_read(x, &r, &err))
		return err;
	do {
		err = store_write_durable(x->stores, remove_words, &removal);
		conversations += removal.counts.conversations;
		messages += removal.counts.messages;
	} while (err == ERR_NONE && removal.more);
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "result", "success");
	jsonout_member_int(&body, "conversations", conversations);
	jsonout_member_int(&body, "messages", messages);
	buf_addc(&body, '}');
	return send_json(x, &body);
}
