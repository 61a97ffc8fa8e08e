/*
 * POST /chat/NAME/messages: a visitor asks.  A view of a dialogue
 * (dialogue/dialogue.h) that writes the events of the messages API, without
 * what is the owner's alone: prices, tokens, an upstream's own words.
 *
 * Three subjects bound it (limits/limits.h): the visitor, whose id is free to
 * make; his network address, which is not; and the site as a whole, so that
 * all visitors together leave the host's processes to others.
 */
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth/secret.h"
#include "base/clock.h"
#include "base/net_address.h"
#include "base/utf8.h"
#include "dialogue/dialogue.h"
#include "json/jsonout.h"
#include "site/site_handlers.h"
#include "site/site_reply.h"
#include "site/site_request.h"

#define ADDRESS_BYTES 16
#define DAY_S 86400

enum { OF_VISITOR, OF_ADDRESS, OF_SITE, SUBJECTS };

struct site_ask {
	struct dialogue dialogue; /* first */
	struct site_request request;
	struct limits_subject subjects[SUBJECTS];
	struct db *db;
};

static struct site_ask *
self(const struct turn_run *r)
{
	return (struct site_ask *)(uintptr_t)r;
}

/* ---- writing ---- */

static enum err
refuse_start(struct turn_run *r, enum err why)
{
	if (why == ERR_NOT_FOUND)
		return site_refuse(r->x, SITE_REFUSED_CONVERSATION);
	return why;
}

static enum err
refuse(struct turn_run *r, const struct limits_verdict *v)
{
	const struct limits_subject *subjects = self(r)->subjects;
	enum site_refusal why = SITE_REFUSED_BUSY;
	char seconds[16];
	enum err err;

	(void)snprintf(seconds, sizeof(seconds), "%d", v->retry_after_s);
	err = response_header(&r->x->response, "Retry-After",
	    span_of(seconds));
	if (err != ERR_NONE)
		return err;
	if (v->refusal == LIMITS_REQUESTS && v->subject != NULL)
		why = v->subject == &subjects[OF_VISITOR]
		    ? SITE_REFUSED_VISITOR_LIMIT
		    : v->subject == &subjects[OF_ADDRESS]
		    ? SITE_REFUSED_ADDRESS_LIMIT
		    : SITE_REFUSED_SITE_LIMIT;
	else if ((v->refusal == LIMITS_TOKENS &&
		v->retry_after_s > DAY_S / 1000) ||
	    v->refusal == LIMITS_SIZE)
		why = SITE_REFUSED_SITE_LIMIT;
	return site_refuse(r->x, why);
}

/* The page learns at once which task it may stop. */
static void
write_begin(struct turn_run *r, struct buf *out)
{
	dialogue_write_delta(r, SPAN(""), out);
}

static void
write_ids(struct buf *out, const struct chat_ids *ids, const char *event)
{
	buf_adds(out, "data: {");
	jsonout_member_cstring(out, "event", event);
	jsonout_member_cstring(out, "conversation_id", ids->conversation_id);
	jsonout_member_cstring(out, "message_id", ids->message_id);
	jsonout_member_int(out, "created_at", ids->created_at);
}

static void
write_end(struct turn_run *r, struct buf *out)
{
	const struct dialogue *d = &self(r)->dialogue;

	if (r->result.retracted)
		chat_event_replace(out, &d->ids, r->result.answer);
	write_ids(out, &d->ids, "message_end");
	jsonout_member_cstring(out, "task_id", d->ids.task_id);
	jsonout_member_cstring(out, "id", d->ids.message_id);
	jsonout_name(out, "metadata");
	buf_addc(out, '{');
	jsonout_member_raw(out, "retriever_resources", d->message.resources);
	buf_adds(out, "}}\n\n");
}

static void
write_fault(struct turn_run *r, struct buf *out)
{
	write_ids(out, &self(r)->dialogue.ids, "error");
	jsonout_member_int(out, "status", dialogue_fault(r).status);
	jsonout_member_cstring(out, "code", "answer_failed");
	jsonout_member_cstring(out, "message", "The answer failed.");
	buf_adds(out, "}\n\n");
}

/* A stream begins at once: this is a failure of ours before that. */
static enum err
refuse_fault(struct turn_run *r)
{
	return site_refuse(r->x, SITE_REFUSED_INTERNAL);
}

static const struct turn_view view = {
    .name = "site",
    DIALOGUE_VIEW,
    .refuse_start = refuse_start,
    .refuse = refuse,
    .begin = write_begin,
    .end = write_end,
    .fail = write_fault,
    .refuse_fault = refuse_fault,
};

/* ---- what was asked ---- */

static enum err
refused(struct site_ask *a, enum site_refusal why)
{
	return site_refuse(a->dialogue.run.x, why);
}

/* The text without its NULs; data is NULL when out of memory. */
static struct span
without_nul(struct arena *arena, struct span text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t i, n = 0;

	if (copy == NULL)
		return SPAN_NONE;
	for (i = 0; i < text.len; i++)
		if (text.data[i] != '\0')
			copy[n++] = text.data[i];
	return (struct span){copy, n};
}

static enum err
read_question(struct site_ask *a)
{
	const struct site_request *r = &a->request;
	const struct pyjson *question = pyjson_get(r->body, "question");
	struct dialogue *d = &a->dialogue;

	if (r->bot == NULL || r->bot->engines.n == 0)
		return refused(a, SITE_REFUSED_BOT);
	if (!pyjson_is_string(question))
		return refused(a, SITE_REFUSED_BODY);
	d->query = without_nul(d->run.x->request.arena,
	    pyjson_string(question));
	if (d->query.data == NULL)
		return ERR_MEMORY;
	if (span_trim(d->query).len == 0)
		return refused(a, SITE_REFUSED_BODY);
	if (utf8_length(d->query) > (size_t)r->site->question_length)
		return refused(a, SITE_REFUSED_TOO_LONG);
	return ERR_NONE;
}

/* The conversation to go on with; empty: a new one. */
static enum err
find_conversation(struct site_ask *a)
{
	const struct pyjson *given =
	    pyjson_get(a->request.body, "conversation_id");
	struct span id = pyjson_string(given);
	enum err err;

	if (pyjson_given(given) && id.len > 0 && !uuid_is_hyphenated(id))
		return refused(a, SITE_REFUSED_CONVERSATION);
	err = dialogue_find(&a->dialogue, a->db, id);
	return err == ERR_NOT_FOUND ? refused(a, SITE_REFUSED_CONVERSATION)
				    : err;
}

/* ---- limits ---- */

/* What stands for an address: known again for a day, by nobody without the
 * deployment's secret. */
static enum err
hide_address(const struct exchange *x, char out[2 * ADDRESS_BYTES + 1])
{
	struct net_address address;
	struct hmac_sha256_ctx context;
	uint8_t key[SECRET_KEY], digest[ADDRESS_BYTES];
	char text[NET_TEXT + 24] = "unknown", day[24];
	enum err err = secret_key(x->config, "address", key);

	if (err != ERR_NONE)
		return err;
	if (net_address_parse(span_of(x->request.client_addr), &address))
		net_address_subscriber(&address, text);
	(void)snprintf(day, sizeof(day), " %lld",
	    (long long)(clock_now_s() / DAY_S));
	hmac_sha256_set_key(&context, SECRET_KEY, key);
	hmac_sha256_update(&context, strlen(text), (const uint8_t *)text);
	hmac_sha256_update(&context, strlen(day), (const uint8_t *)day);
	hmac_sha256_digest(&context, ADDRESS_BYTES, digest);
	text_hex(digest, ADDRESS_BYTES, out);
	return ERR_NONE;
}

static enum err
name_subjects(struct site_ask *a)
{
	const struct site_config *site = a->request.site;
	struct exchange *x = a->dialogue.run.x;
	struct arena *arena = x->request.arena;
	struct limits_subject *subjects = a->subjects;
	char address[2 * ADDRESS_BYTES + 1];
	enum err err = hide_address(x, address);

	if (err != ERR_NONE)
		return err;
	subjects[OF_VISITOR] = (struct limits_subject){
	    .name = arena_printf(arena, "visitor:%s:%s", site->name,
		a->request.visitor.id),
	    .requests[LIMITS_MINUTE] = site->visitor_requests_per_minute,
	    .streams = site->visitor_streams,
	};
	subjects[OF_ADDRESS] = (struct limits_subject){
	    .name = arena_printf(arena, "address:%s:%s", site->name, address),
	    .requests[LIMITS_HOUR] = site->address_requests_per_hour,
	};
	subjects[OF_SITE] = (struct limits_subject){
	    .name = arena_printf(arena, "site:%s", site->name),
	    .requests[LIMITS_DAY] = site->requests_per_day,
	    .tokens_per_day = site->tokens_per_day,
	    .streams = site->streams,
	};
	if (subjects[OF_VISITOR].name == NULL ||
	    subjects[OF_ADDRESS].name == NULL ||
	    subjects[OF_SITE].name == NULL)
		return ERR_MEMORY;
	a->dialogue.run.ask.others = subjects;
	a->dialogue.run.ask.n_others = SUBJECTS;
	return ERR_NONE;
}

/* ---- the handler ---- */

/* All that is read of the store, on one short lease. */
static enum err
look_up(struct site_ask *a)
{
	struct dialogue *d = &a->dialogue;
	struct store_pool *stores = d->run.x->stores;
	enum err err = store_lease(stores, &a->db);

	if (err != ERR_NONE)
		return err;
	err = find_conversation(a);
	if (err == ERR_NONE)
		err = turn_run_check(&d->run, a->db, NULL, a->request.bot);
	if (err == ERR_NONE)
		err = dialogue_find_annotation(d, a->db);
	if (err == ERR_NONE)
		err = dialogue_read_history(d, a->db);
	store_return(stores, a->db);
	a->db = NULL;
	return err;
}

enum err
site_messages_post(struct exchange *x)
{
	struct site_ask *a = arena_alloc(x->request.arena, sizeof(*a));
	struct dialogue *d;
	enum err err;

	if (a == NULL)
		return ERR_MEMORY;
	if (!site_request_read(x, &a->request, &err))
		return err;
	d = &a->dialogue;
	turn_run_init(&d->run, x, &view, a->request.bot);
	d->run.stream = true;
	d->app_id = a->request.site->app_id;
	d->user = span_of(a->request.visitor.id);
	d->auto_name = true;
	d->inputs = SPAN("{}");
	err = read_question(a);
	if (err == ERR_NONE)
		err = name_subjects(a);
	if (err == ERR_NONE)
		err = look_up(a);
	if (err == ERR_NONE)
		err = dialogue_set_up(d);
	if (err != ERR_NONE)
		return err;
	return dialogue_begin(d);
}
