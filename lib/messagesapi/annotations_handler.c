/*
 * Annotations: answers written by hand, and the switch that uses them.  The
 * switch is set at once; its "job" is a row that says completed.
 */
#include "messagesapi/handlers.h"

#include <math.h>
#include <string.h>

#include "auth/caller.h"
#include "base/clock.h"
#include "config/config.h"
#include "durable/durable_reply.h"
#include "json/jsonout.h"
#include "dialogue/annotation_match.h"
#include "messagesapi/api_store.h"
#include "messagesapi/reply.h"

static void
annotation_json(struct buf *out, const struct annotation_row *a)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", a->id);
	jsonout_member(out, "question", a->question);
	jsonout_member(out, "answer", a->answer);
	jsonout_member_int(out, "hit_count", a->hit_count);
	jsonout_member_int(out, "created_at", a->created_us / 1000000);
	buf_addc(out, '}');
}

static enum err
send_annotation(struct exchange *x, int status,
    const struct annotation_row *a)
{
	struct buf body = BUF_INIT(REPLY_MAX);

	annotation_json(&body, a);
	return reply_json(x, status, &body);
}

/* question and answer of a body; ERR_ANSWERED: it is refused. */
static enum err
read_texts(struct exchange *x, struct annotation_row *a)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body;
	enum err err;

	err = parse_body(x, &body);
	if (err != ERR_NONE)
		return err;
	a->question = parse_string(body, &faults, "question", true);
	a->answer = parse_string(body, &faults, "answer", true);
	err = faults_answered(&faults, x);
	if (err != ERR_NONE)
		return err;
	a->question = parse_without_nul(x->request.arena, a->question);
	a->answer = parse_without_nul(x->request.arena, a->answer);
	a->key = annotation_key(x->request.arena, a->question);
	if (a->question.data == NULL || a->answer.data == NULL ||
	    a->key.data == NULL)
		return ERR_MEMORY;
	return ERR_NONE;
}

/* An annotation of a bot that is made, changed or deleted. */
struct edit {
	const char *bot;
	struct span id;      /* where it says which */
	struct arena *arena;
	struct annotation_row row;
};

/* A store_change. */
static enum err
add_annotation(struct db *db, void *arg)
{
	struct edit *e = arg;

	return annotations_add(db, e->bot, &e->row);
}

/* A store_change. */
static enum err
update_annotation(struct db *db, void *arg)
{
	struct edit *e = arg;
	struct annotation_row *a = &e->row, old;
	enum err err = annotations_find(db, e->bot, e->id, e->arena, &old);

	if (err != ERR_NONE)
		return err;
	a->seq = old.seq;
	a->id = old.id;
	a->hit_count = old.hit_count;
	a->created_us = old.created_us;
	return annotations_update(db, a);
}

/* A store_change. */
static enum err
delete_annotation(struct db *db, void *arg)
{
	struct edit *e = arg;

	return annotations_delete(db, e->bot, e->id);
}

enum err
annotations_post(struct exchange *x)
{
	struct edit e = {.bot = x->caller->bot->uid,
	    .row = {.created_us = clock_now_us()}};
	char id[UUID_TEXT];
	enum err err;

	err = read_texts(x, &e.row);
	if (err != ERR_NONE)
		return err;
	err = uuid_random(id);
	e.row.id = id;
	if (err == ERR_NONE)
		err = durable_reply_write(x, add_annotation, &e);
	return err != ERR_NONE ? err : send_annotation(x, 201, &e.row);
}

enum err
annotation_put(struct exchange *x)
{
	char uuid[UUID_TEXT];
	struct edit e = {.bot = x->caller->bot->uid,
	    .id = api_store_uuid(x->captures[0], uuid),
	    .arena = x->request.arena};
	enum err err;

	err = read_texts(x, &e.row);
	if (err != ERR_NONE)
		return err;
	err = durable_reply_write(x, update_annotation, &e);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_ANNOTATION);
	return err != ERR_NONE ? err : send_annotation(x, 200, &e.row);
}

enum err
annotation_delete(struct exchange *x)
{
	char uuid[UUID_TEXT];
	struct edit e = {.bot = x->caller->bot->uid,
	    .id = api_store_uuid(x->captures[0], uuid)};
	enum err err = durable_reply_write(x, delete_annotation, &e);

	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_ANNOTATION);
	return err != ERR_NONE ? err : reply_nothing(x);
}

enum err
annotations_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);
	struct annotation_row *rows = NULL;
	struct parse_page page;
	int64_t total = 0;
	struct db *db;
	size_t n = 0, i;
	enum err err;

	err = parse_page(x, INT32_MAX, &page);
	if (err != ERR_NONE)
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = annotations_page(db, x->caller->bot->uid, page.keyword,
	    (page.page - 1) * page.limit, (size_t)page.limit,
	    x->request.arena, &rows, &n, &total);
	store_return(x->stores, db);
	if (err != ERR_NONE)
		return err;
	buf_adds(&body, "{\"data\":[");
	for (i = 0; i < n; i++)
		annotation_json(&body, &rows[i]);
	buf_addc(&body, ']');
	jsonout_member_bool(&body, "has_more", (int64_t)n == page.limit);
	jsonout_member_int(&body, "limit", page.limit);
	jsonout_member_int(&body, "total", total);
	jsonout_member_int(&body, "page", page.page);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

/* ---- the switch ---------------------------------------------------------- */

/* "enable" or "disable", as a constant; NULL: neither. */
static const char *
known_action(struct span action)
{
	if (span_is(action, "enable"))
		return "enable";
	return span_is(action, "disable") ? "disable" : NULL;
}

static enum err
refuse_action(struct exchange *x)
{
	return reply_invalid(x, "action",
	    "action: Input should be 'enable' or 'disable'");
}

static enum err
read_threshold(struct exchange *x, double *threshold)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body, *value;
	enum err err;

	err = parse_body(x, &body);
	if (err != ERR_NONE)
		return err;
	value = pyjson_get(body, "score_threshold");
	*threshold = pyjson_double(value);
	if (value == NULL)
		faults_add(&faults, "score_threshold", "Field required");
	else if (!isfinite(*threshold))
		faults_add(&faults, "score_threshold",
		    "Input should be a valid number");
	(void)parse_string(body, &faults, "embedding_provider_name", true);
	(void)parse_string(body, &faults, "embedding_model_name", true);
	return faults_answered(&faults, x);
}

struct setting {
	const char *bot, *action;
	double threshold;
	char job[UUID_TEXT];
};

/* A store_change. */
static enum err
set_reply(struct db *db, void *arg)
{
	const struct setting *s = arg;
	enum err err = annotation_reply_set(db, s->bot,
	    strcmp(s->action, "enable") == 0, s->threshold);

	return err != ERR_NONE ? err
			       : annotation_jobs_add(db, s->job, s->bot,
				     s->action, clock_now_us());
}

enum err
annotation_reply_post(struct exchange *x)
{
	struct setting s = {.bot = x->caller->bot->uid,
	    .action = known_action(x->captures[0])};
	struct buf body = BUF_INIT(256);
	enum err err;

	if (s.action == NULL)
		return refuse_action(x);
	err = read_threshold(x, &s.threshold);
	if (err != ERR_NONE)
		return err;
	err = uuid_random(s.job);
	if (err == ERR_NONE)
		err = durable_reply_write(x, set_reply, &s);
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "job_id", s.job);
	jsonout_member_cstring(&body, "job_status", "waiting");
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
annotation_reply_status(struct exchange *x)
{
	const char *action = known_action(x->captures[0]);
	char uuid[UUID_TEXT];
	struct span job = api_store_uuid(x->captures[1], uuid);
	struct buf body = BUF_INIT(256);
	struct db *db;
	enum err err;

	if (action == NULL)
		return refuse_action(x);
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = annotation_jobs_find(db, job, x->caller->bot->uid, action);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_invalid(x, NULL, "The job does not exist.");
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member(&body, "job_id", job);
	jsonout_member_cstring(&body, "job_status", "completed");
	jsonout_member_cstring(&body, "error_msg", "");
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}
