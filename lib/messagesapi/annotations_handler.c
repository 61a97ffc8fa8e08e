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
#include "json/jsonout.h"
#include "messagesapi/annotation_match.h"
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

/* question and answer of a body; false: answered. */
static bool
read_texts(struct exchange *x, struct annotation_row *a, enum err *err)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body;

	*err = ERR_NONE;
	if (!parse_body(x, &body, err))
		return false;
	a->question = parse_string(body, &faults, "question", true);
	a->answer = parse_string(body, &faults, "answer", true);
	if (faults_answered(&faults, x, err))
		return false;
	a->question = parse_without_nul(x->request.arena, a->question);
	a->answer = parse_without_nul(x->request.arena, a->answer);
	a->key = annotation_key(x->request.arena, a->question);
	if (a->question.data == NULL || a->answer.data == NULL ||
	    a->key.data == NULL)
		*err = ERR_MEMORY;
	return *err == ERR_NONE;
}

enum err
annotations_post(struct exchange *x)
{
	struct annotation_row a = {.created_us = clock_now_us()};
	char id[UUID_TEXT];
	struct db *db;
	enum err err;

	if (!read_texts(x, &a, &err))
		return err;
	err = uuid_random(id);
	if (err == ERR_NONE)
		err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	a.id = id;
	err = annotations_add(db, x->caller->bot->uid, &a);
	store_return(x->stores, db);
	return err != ERR_NONE ? err : send_annotation(x, 201, &a);
}

enum err
annotation_put(struct exchange *x)
{
	struct annotation_row a = {0}, old;
	char uuid[UUID_TEXT];
	struct db *db;
	enum err err;

	if (!read_texts(x, &a, &err))
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = annotations_find(db, x->caller->bot->uid,
	    api_store_uuid(x->captures[0], uuid), x->request.arena, &old);
	if (err == ERR_NONE) {
		a.seq = old.seq;
		a.id = old.id;
		a.hit_count = old.hit_count;
		a.created_us = old.created_us;
		err = annotations_update(db, &a);
	}
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_ANNOTATION);
	return err != ERR_NONE ? err : send_annotation(x, 200, &a);
}

enum err
annotation_delete(struct exchange *x)
{
	char uuid[UUID_TEXT];
	struct db *db;
	enum err err = store_lease(x->stores, &db);

	if (err != ERR_NONE)
		return err;
	err = annotations_delete(db, x->caller->bot->uid,
	    api_store_uuid(x->captures[0], uuid));
	store_return(x->stores, db);
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

	if (!parse_page(x, INT32_MAX, &page, &err))
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

static bool
read_threshold(struct exchange *x, double *threshold, enum err *err)
{
	struct faults faults = FAULTS_INIT;
	const struct pyjson *body, *value;

	if (!parse_body(x, &body, err))
		return false;
	value = pyjson_get(body, "score_threshold");
	*threshold = pyjson_double(value);
	if (value == NULL)
		faults_add(&faults, "score_threshold", "Field required");
	else if (!isfinite(*threshold))
		faults_add(&faults, "score_threshold",
		    "Input should be a valid number");
	(void)parse_string(body, &faults, "embedding_provider_name", true);
	(void)parse_string(body, &faults, "embedding_model_name", true);
	return !faults_answered(&faults, x, err);
}

static enum err
set_reply(struct db *db, const struct bot_config *bot, const char *action,
    double threshold, const char *job)
{
	enum err err = db_begin(db);

	if (err == ERR_NONE)
		err = annotation_reply_set(db, bot->uid,
		    strcmp(action, "enable") == 0, threshold);
	if (err == ERR_NONE)
		err = annotation_jobs_add(db, job, bot->uid, action,
		    clock_now_us());
	if (err == ERR_NONE)
		err = db_commit(db);
	return err;
}

enum err
annotation_reply_post(struct exchange *x)
{
	const char *action = known_action(x->captures[0]);
	struct buf body = BUF_INIT(256);
	char job[UUID_TEXT];
	double threshold;
	struct db *db;
	enum err err;

	if (action == NULL)
		return refuse_action(x);
	if (!read_threshold(x, &threshold, &err))
		return err;
	err = uuid_random(job);
	if (err == ERR_NONE)
		err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = set_reply(db, x->caller->bot, action, threshold, job);
	store_return(x->stores, db); /* rolls back what is open */
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "job_id", job);
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
