/* Feedback on a message, and the app's list of it. */
#include "messagesapi/handlers.h"

#include "base/clock.h"
#include "durable/durable_reply.h"
#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/iso_time.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"
#include "store/feedback.h"
#include "store/messages.h"

struct feedback_request {
	struct api_user user;
	const char *rating; /* NULL: revoke */
	struct span content;
};

static enum err
read_request(struct exchange *x, struct feedback_request *r)
{
	static const char *const ratings[] = {"like", "dislike", NULL};
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body;
	enum err err;

	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, true, &r->user);
	if (err != ERR_NONE)
		return err;
	r->rating = parse_choice(body, &faults, "rating", ratings, NULL);
	r->content = parse_string(body, &faults, "content", false);
	return faults_answered(&faults, x);
}

/* What is changed. */
struct opinion {
	const struct feedback_request *request;
	const char *app;
	int64_t message, end_user, now_us;
	bool nothing; /* to revoke */
};

/* A store_change. */
static enum err
store_opinion(struct db *db, void *arg)
{
	struct opinion *o = arg;
	const struct feedback_request *r = o->request;
	enum err err;

	if (r->rating != NULL)
		return feedback_set(db, o->app, o->message, o->end_user,
		    r->rating, r->content, o->now_us);
	err = feedback_remove(db, o->message, o->end_user);
	o->nothing = err == ERR_NOT_FOUND;
	return o->nothing ? ERR_NONE : err;
}

enum err
feedback_post(struct exchange *x)
{
	struct opinion o = {.app = messagesapi_caller(x)->app_id,
	    .now_us = clock_now_us()};
	struct feedback_request r;
	struct end_user_row end_user;
	struct message_row m;
	char uuid[UUID_TEXT];
	struct db *db;
	enum err err;

	err = read_request(x, &r);
	if (err != ERR_NONE)
		return err;
	err = api_store_open(x, &r.user, &db, &end_user);
	if (err != ERR_NONE)
		return err;
	err = messages_find(db, end_user.seq,
	    api_store_uuid(x->captures[0], uuid), x->request.arena, &m);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_MESSAGE);
	if (err == ERR_NONE) {
		o.request = &r;
		o.message = m.seq;
		o.end_user = end_user.seq;
		err = durable_reply_write(x, store_opinion, &o);
	}
	if (err != ERR_NONE)
		return err;
	if (o.nothing)
		return reply_invalid(x, NULL,
		    "rating cannot be None when feedback not exists");
	return reply_success(x);
}

static void
feedback_json(struct buf *out, const char *app, const struct feedback_row *f)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", f->id);
	jsonout_member_cstring(out, "app_id", app);
	jsonout_member_cstring(out, "conversation_id", f->conversation_id);
	jsonout_member_cstring(out, "message_id", f->message_id);
	jsonout_member_cstring(out, "rating", f->rating);
	if (f->content.data == NULL)
		jsonout_member_null(out, "content");
	else
		jsonout_member(out, "content", f->content);
	jsonout_member_cstring(out, "from_source", "user");
	jsonout_member_cstring(out, "from_end_user_id", f->end_user_id);
	jsonout_member_null(out, "from_account_id");
	iso_time_member(out, "created_at", f->created_us);
	iso_time_member(out, "updated_at", f->updated_us);
	buf_addc(out, '}');
}

enum err
app_feedbacks_get(struct exchange *x)
{
	const char *app = messagesapi_caller(x)->app_id;
	struct faults faults = FAULTS_INIT;
	struct buf body = BUF_INIT(REPLY_MAX);
	struct feedback_row *rows = NULL;
	int64_t page, limit;
	struct db *db;
	size_t n = 0, i;
	enum err err;

	page = parse_query_int(x, &faults, "page", 1, 1000000000, 1);
	limit = parse_query_int(x, &faults, "limit", 1, 101, 20);
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = feedback_page(db, app, (page - 1) * limit, (size_t)limit,
	    x->request.arena, &rows, &n);
	store_return(x->stores, db);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	for (i = 0; i < n; i++)
		feedback_json(&body, app, &rows[i]);
	buf_adds(&body, "]}");
	return reply_json(x, 200, &body);
}
