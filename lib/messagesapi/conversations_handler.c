/*
 * Conversations: their list, deletion, names, and variables (of which a
 * plain chat app has none).
 */
#include "messagesapi/handlers.h"

#include <string.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/name_answer.h"
#include "messagesapi/reply.h"
#include "turn/title.h"
#include "store/clean.h"
#include "store/messages.h"

#define US 1000000

static void
conversation_json(struct buf *out, const struct conversation_row *c)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", c->id);
	jsonout_member(out, "name", c->name);
	jsonout_member_raw(out, "inputs", c->inputs);
	jsonout_member_cstring(out, "status", "normal");
	jsonout_member(out, "introduction", c->introduction);
	jsonout_member_int(out, "created_at", c->created_us / US);
	jsonout_member_int(out, "updated_at", c->updated_us / US);
	buf_addc(out, '}');
}

static const struct {
	const char *name;
	enum conversation_order order;
} orders[] = {
    {"created_at", BY_CREATION},
    {"-created_at", BY_CREATION_DOWN},
    {"updated_at", BY_UPDATE},
    {"-updated_at", BY_UPDATE_DOWN},
};

static enum conversation_order
read_order(struct exchange *x, struct faults *faults)
{
	struct span text;
	size_t i;

	if (!request_query(&x->request, "sort_by", &text))
		return BY_UPDATE_DOWN;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (span_is(text, orders[i].name))
			return orders[i].order;
	faults_add(faults, "sort_by",
	    "Input should be 'created_at', '-created_at', 'updated_at' or "
	    "'-updated_at'");
	return BY_UPDATE_DOWN;
}

struct page {
	char last_id[UUID_TEXT];
	size_t limit;
	enum conversation_order order;
	struct conversation_row *rows;
	size_t n;
	bool more;
};

/* ERR_NOT_FOUND: the last conversation does not exist. */
static enum err
read_page(struct exchange *x, struct db *db, int64_t end_user,
    struct page *page)
{
	struct conversation_row last, *after = NULL;
	enum err err;

	if (page->last_id[0] != '\0') {
		err = conversations_find(db, end_user, span_of(page->last_id),
		    x->request.arena, &last);
		if (err != ERR_NONE)
			return err;
		after = &last;
	}
	return conversations_page(db, end_user, page->order, after,
	    page->limit, x->request.arena, &page->rows, &page->n,
	    &page->more);
}

enum err
conversations_get(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct buf body = BUF_INIT(REPLY_MAX);
	struct end_user_row end_user;
	struct page page = {.n = 0};
	struct api_user user;
	struct db *db;
	enum err err;
	size_t i;

	err = parse_user_query(x, false, &user);
	if (err != ERR_NONE)
		return err;
	parse_query_uuid(x, &faults, "last_id", page.last_id);
	page.limit =
	    (size_t)parse_query_int(x, &faults, "limit", 1, 100, 20);
	page.order = read_order(x, &faults);
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	err = api_store_open(x, &user, &db, &end_user);
	if (err != ERR_NONE)
		return err;
	err = read_page(x, db, end_user.seq, &page);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_LAST_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_int(&body, "limit", (int64_t)page.limit);
	jsonout_member_bool(&body, "has_more", page.more);
	jsonout_name(&body, "data");
	buf_addc(&body, '[');
	for (i = 0; i < page.n; i++)
		conversation_json(&body, &page.rows[i]);
	buf_adds(&body, "]}");
	return reply_json(x, 200, &body);
}

/* A store_change. */
static enum err
delete_conversation(struct db *db, void *arg)
{
	const struct conversation_row *c = arg;

	return conversations_delete(db, c->seq);
}

enum err
conversation_delete(struct exchange *x)
{
	struct conversation_row c;
	const struct pyjson *body;
	struct api_user user;
	struct db *db;
	enum err err;

	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, false, &user);
	if (err != ERR_NONE)
		return err;
	err = api_store_conversation(x, &user, x->captures[0], &db, &c);
	if (err == ERR_NONE) {
		store_return(x->stores, db);
		err = durable_reply_write(x, delete_conversation, &c);
	}
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	err = reply_nothing(x);
	clean_some(x->config, x->stores);
	return err;
}

/* ---- names --------------------------------------------------------------- */

struct renaming {
	struct api_user user;
	struct span name; /* data NULL: none given */
	bool automatic;
};

static enum err
read_renaming(struct exchange *x, struct renaming *r)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body;
	enum err err;

	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, false, &r->user);
	if (err != ERR_NONE)
		return err;
	r->name = parse_string(body, &faults, "name", false);
	r->automatic = parse_member_bool(body, &faults, "auto_generate",
	    false);
	if (faults.first == NULL && !r->automatic &&
	    span_trim(r->name).len == 0)
		faults_add(&faults, "name",
		    "Value error, name is required when auto_generate is "
		    "false");
	if (faults.first == NULL && !r->automatic &&
	    utf8_length(r->name) > TITLE_MAX)
		faults_add(&faults, "name",
		    "String should have at most %d characters", TITLE_MAX);
	return faults_answered(&faults, x);
}

/* A store_change. */
static enum err
store_title(struct db *db, void *arg)
{
	const struct conversation_row *c = arg;

	return conversations_title(db, c->seq, c->name, true);
}

/* A store_change. */
static enum err
store_name(struct db *db, void *arg)
{
	const struct conversation_row *c = arg;

	return conversations_rename(db, c->seq, c->name, c->updated_us);
}

/* A name from the first message's words. */
static enum err
name_by_title(struct exchange *x, struct conversation_row *c,
    struct span query)
{
	struct span title = title_from_query(x->request.arena, query);

	if (title.data == NULL)
		return ERR_MEMORY;
	if (title.len == 0)
		return ERR_NONE; /* the old name stays */
	c->name = title;
	return durable_reply_write(x, store_title, c);
}

static enum err
name_by_hand(struct exchange *x, struct conversation_row *c, struct span name)
{
	name = parse_without_nul(x->request.arena, span_trim(name));
	if (name.data == NULL)
		return ERR_MEMORY;
	c->name = name;
	c->updated_us = clock_now_us();
	return durable_reply_write(x, store_name, c);
}

static enum err
send_conversation(struct exchange *x, const struct conversation_row *c)
{
	struct buf body = BUF_INIT(REPLY_MAX);

	conversation_json(&body, c);
	return reply_json(x, 200, &body);
}

/* What an automatic name is made of: the first message. */
static enum err
find_query(struct exchange *x, struct db *db, int64_t conversation,
    struct span *query, bool *empty)
{
	enum err err = messages_first_query(db, conversation,
	    x->request.arena, query);

	*empty = err == ERR_NOT_FOUND;
	return *empty ? ERR_NONE : err;
}

enum err
conversation_name_post(struct exchange *x)
{
	struct conversation_row *c = arena_alloc(x->request.arena, sizeof(*c));
	struct span query = SPAN_NONE;
	bool empty = false;
	struct renaming r;
	struct db *db;
	enum err err;

	if (c == NULL)
		return ERR_MEMORY;
	err = read_renaming(x, &r);
	if (err != ERR_NONE)
		return err;
	err = api_store_conversation(x, &r.user, x->captures[0], &db, c);
	if (err == ERR_NONE) {
		if (r.automatic)
			err = find_query(x, db, c->seq, &query, &empty);
		store_return(x->stores, db);
	}
	if (err == ERR_NONE && empty)
		return reply_invalid(x, NULL, "%s", "");
	if (err == ERR_NONE && r.automatic &&
	    x->caller->bot->title_engine != NULL)
		return name_answer_begin(x, r.user.name, c, query,
		    conversation_json);
	if (err == ERR_NONE)
		err = r.automatic ? name_by_title(x, c, query)
				  : name_by_hand(x, c, r.name);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_CONVERSATION);
	return err != ERR_NONE ? err : send_conversation(x, c);
}

/* ---- variables ----------------------------------------------------------- */

static void
read_variable_name(struct exchange *x, struct faults *faults)
{
	struct span name;
	size_t i;

	if (!request_query(&x->request, "variable_name", &name))
		return;
	if (name.len == 0) {
		faults_add(faults, "variable_name",
		    "String should have at least 1 character");
		return;
	}
	if (name.len > 255) {
		faults_add(faults, "variable_name",
		    "String should have at most 255 characters");
		return;
	}
	for (i = 0; i < name.len; i++)
		if (!text_is_alnum(name.data[i]) &&
		    strchr("-_.", name.data[i]) == NULL) {
			faults_add(faults, "variable_name",
			    "Value error, Variable name can only contain "
			    "letters, numbers, hyphens (-), underscores (_), "
			    "and periods (.)");
			return;
		}
}

enum err
variables_get(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct buf body = BUF_INIT(REPLY_MAX);
	struct conversation_row c;
	char last_id[UUID_TEXT];
	struct api_user user;
	struct db *db;
	int64_t limit;
	enum err err;

	err = parse_user_query(x, false, &user);
	if (err != ERR_NONE)
		return err;
	parse_query_uuid(x, &faults, "last_id", last_id);
	limit = parse_query_int(x, &faults, "limit", 1, 100, 20);
	read_variable_name(x, &faults);
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	err = api_store_conversation(x, &user, x->captures[0], &db, &c);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	store_return(x->stores, db);
	if (last_id[0] != '\0') /* there is none that it could name */
		return reply_invalid(x, NULL, "%s", "");
	buf_addc(&body, '{');
	jsonout_member_int(&body, "limit", limit);
	jsonout_member_bool(&body, "has_more", false);
	jsonout_member_raw(&body, "data", SPAN("[]"));
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
variable_put(struct exchange *x)
{
	struct faults faults = FAULTS_INIT;
	struct conversation_row c;
	const struct pyjson *body;
	struct api_user user;
	struct db *db;
	enum err err;

	err = parse_body(x, &body);
	if (err == ERR_NONE)
		err = parse_user(x, body, false, &user);
	if (err != ERR_NONE)
		return err;
	if (pyjson_get(body, "value") == NULL)
		faults_add(&faults, "value", "Field required");
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	err = api_store_conversation(x, &user, x->captures[0], &db, &c);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_CONVERSATION);
	if (err != ERR_NONE)
		return err;
	store_return(x->stores, db);
	return reply_error(x, REPLY_VARIABLE);
}
