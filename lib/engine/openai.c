/*
 * The run goes START -> CALL -> OVER, and from CALL through PAUSE back to
 * CALL when a call is made again.  Each next() first hands on what has
 * arrived, and only then lets libcurl move bytes, once per wake-up.
 *
 * Our own clocks: the first byte of the reply's body, the time between two
 * pieces, the total over all tries.  Connecting is libcurl's clock.  (Its
 * "low speed" limits are averages over seconds and miss a stall.)
 */
#include "engine/openai.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/uuid.h"
#include "chat/tokens.h"
#include "config/config.h"
#include "engine/openai_reply.h"
#include "engine/openai_request.h"
#include "upstream/upstream.h"
#include "http/sse_reader.h"

#define REQUEST_MAX (64 * 1024 * 1024)
#define EVENT_MAX (4 * 1024 * 1024)
#define REFUSAL_MAX (64 * 1024)
/* A stream's frame is some 250 bytes around a few letters. */
#define FRAME_FACTOR 128
#define RETRY_BASE_MS 250
#define RETRY_WAIT_MAX_MS 20000
/* After the finish reason only usage and [DONE] may follow. */
#define FINISH_WAIT_MS 2000

enum stage { STAGE_START, STAGE_CALL, STAGE_PAUSE, STAGE_OVER };
enum form { FORM_UNKNOWN, FORM_STREAM, FORM_WHOLE, FORM_REFUSAL };

struct openai_run {
	struct engine_run run;
	const struct engine_config *engine;
	const struct engine_request *request;
	struct upstream *upstream;
	struct upstream_call *call;
	const char *url, *key, *authorization;
	char idempotency[64];
	enum stage stage;
	enum form form;
	struct buf body;  /* of the request */
	struct buf whole; /* of a reply that is no stream */
	struct buf text;  /* the delta that was handed out */
	struct sse_reader sse;
	struct openai_reply reply;
	struct openai_dialect dialect;
	struct engine_quirks learnt;  /* of this server, in this run */
	struct engine_quirks *quirks; /* what the worker knows, or NULL */
	bool stepped;       /* libcurl had its turn in this wake-up */
	bool handed_on;     /* the client has something of this answer */
	int64_t tries;
	int64_t started_ms, call_ms, last_ms, retry_ms;
	int64_t received;   /* bytes of this call, as of last_ms */
	int64_t answer_bytes, answer_tokens;
	int retry_after_s;
};

/* ---- the beginning and the end of a call -------------------------------- */

static void
reset_reply(struct openai_run *o)
{
	upstream_end(o->call);
	o->call = NULL;
	o->form = FORM_UNKNOWN;
	o->reply = (struct openai_reply){.fault = FAULT_NONE};
	o->received = 0;
	buf_reset(&o->whole);
	buf_reset(&o->text);
	sse_reader_release(&o->sse);
	sse_reader_init(&o->sse, EVENT_MAX);
}

static void
fail(struct openai_run *o, enum engine_fault fault)
{
	o->reply.fault = fault;
	(void)snprintf(o->reply.message, sizeof(o->reply.message), "%s",
	    engine_fault_text(fault));
}

static void
start_call(struct openai_run *o, int64_t now_ms)
{
	struct upstream_post post = {
	    .url = o->url,
	    .authorization = o->authorization,
	    .idempotency = o->idempotency,
	    .engine = o->engine,
	};
	enum err err;

	if (o->started_ms == 0)
		o->started_ms = now_ms;
	o->stage = STAGE_CALL;
	o->call_ms = o->last_ms = now_ms;
	o->stepped = false;
	o->tries++;
	buf_reset(&o->body);
	openai_request_body(
	    o->engine, o->request, o->dialect, &o->body);
	err = buf_err(&o->body);
	post.body = (struct span){o->body.data, o->body.len};
	if (err == ERR_NONE)
		err = upstream_start(o->upstream, &post, &o->call);
	if (err != ERR_NONE) {
		log_error("engine %s: the call cannot be made: %s",
		    o->engine->name, err_text(err));
		fail(o, err == ERR_CONFIG    ? FAULT_NOT_CONFIGURED
			: err == ERR_TOO_BIG ? FAULT_TOO_BIG
					     : FAULT_INTERNAL);
	}
}

static int64_t
jitter_ms(int64_t max)
{
	uint32_t r;

	if (random_bytes(&r, sizeof(r)) != ERR_NONE)
		return max;
	return (int64_t)(r % (uint32_t)(max + 1));
}

static bool
worth_another_try(const struct openai_run *o)
{
	int status = o->form == FORM_REFUSAL ? upstream_status(o->call) : 0;

	if (o->handed_on || o->tries > o->engine->retries)
		return false;
	if (o->form == FORM_REFUSAL)
		return (status == 429 && o->reply.fault != FAULT_QUOTA) ||
		       status == 500 || (status >= 502 && status <= 504);
	return o->call != NULL &&
	       upstream_state(o->call) == UPSTREAM_UNREACHABLE;
}

/* The server did not understand a part of the request: the same again,
 * without that or in other words. */
static bool
say_it_differently(struct openai_run *o)
{
	if (o->handed_on)
		return false;
	if (o->reply.blames_usage && o->dialect.usage) {
		o->dialect.usage = false;
		o->learnt.no_usage = true;
		return true;
	}
	if (o->reply.blames_max && !o->dialect.max_completion) {
		o->dialect.max_completion = true;
		o->learnt.max_completion = true;
		return true;
	}
	return false;
}

/* Is the call made again, after a pause?  Else its fault stands. */
static bool
try_again(struct openai_run *o, int64_t now_ms)
{
	int64_t wait_ms;

	if (say_it_differently(o)) {
		o->tries--; /* it is the same try */
		wait_ms = 0;
	} else if (worth_another_try(o)) {
		wait_ms = o->retry_after_s > 0
			      ? (int64_t)o->retry_after_s * 1000
			      : jitter_ms((int64_t)RETRY_BASE_MS << o->tries);
	} else {
		return false;
	}
	if (wait_ms > RETRY_WAIT_MAX_MS ||
	    now_ms + wait_ms >= o->started_ms + o->engine->total_timeout_ms)
		return false;
	reset_reply(o);
	o->stage = STAGE_PAUSE;
	o->retry_ms = now_ms + wait_ms;
	return true;
}

/* ---- reading ------------------------------------------------------------ */

static bool
media_type_is(const char *type, const char *wanted)
{
	struct span rest = span_of(type), media = span_cut(&rest, ';');

	return span_is_nocase(span_trim(media), wanted);
}

static void
find_form(struct openai_run *o)
{
	const char *type = upstream_content_type(o->call);

	if (upstream_status(o->call) != 200)
		o->form = FORM_REFUSAL;
	else if (media_type_is(type, "text/event-stream"))
		o->form = FORM_STREAM;
	else if (media_type_is(type, "application/json"))
		o->form = FORM_WHOLE;
	else
		fail(o, FAULT_MALFORMED);
}

static void
read_stream(struct openai_run *o)
{
	struct sse_event event;
	struct span rest, data;
	enum err err;
	bool got;

	while (o->reply.fault == FAULT_NONE && !o->reply.done &&
	       o->text.len == 0) {
		rest = data = upstream_data(o->call);
		if (data.len == 0)
			return;
		err = sse_reader_next(&o->sse, &rest, &event, &got);
		upstream_take(o->call, data.len - rest.len);
		if (err != ERR_NONE)
			fail(o, err == ERR_TOO_BIG ? FAULT_TOO_BIG
						   : FAULT_INTERNAL);
		else if (got)
			openai_reply_event(&o->reply, event.type, event.data,
			    o->key, &o->text);
	}
}

static void
read_whole(struct openai_run *o)
{
	struct span data = upstream_data(o->call);

	buf_add(&o->whole, data.data, data.len);
	upstream_take(o->call, data.len);
	if (buf_err(&o->whole) != ERR_NONE && o->form == FORM_WHOLE)
		fail(o, FAULT_TOO_BIG);
}

static void
read_refusal(struct openai_run *o)
{
	struct span data = upstream_data(o->call);
	size_t room = REFUSAL_MAX - o->whole.len;

	buf_add(&o->whole, data.data, data.len < room ? data.len : room);
	upstream_take(o->call, data.len);
}

/* Takes what arrived until it makes a delta, an end or a fault. */
static void
read_reply(struct openai_run *o)
{
	if (o->reply.fault != FAULT_NONE || o->reply.done)
		return;
	if (o->form == FORM_UNKNOWN && upstream_data(o->call).len > 0)
		find_form(o);
	if (o->form == FORM_STREAM)
		read_stream(o);
	else if (o->form == FORM_WHOLE)
		read_whole(o);
	else if (o->form == FORM_REFUSAL)
		read_refusal(o);
	if (upstream_received(o->call) / FRAME_FACTOR >
		o->engine->max_answer_bytes ||
	    o->answer_bytes + (int64_t)o->text.len >
		o->engine->max_answer_bytes) {
		fail(o, FAULT_TOO_BIG);
		buf_reset(&o->text);
	}
}

/* ---- the end of a reply ------------------------------------------------- */

static struct span
whole_text(const struct openai_run *o)
{
	return (struct span){buf_text(&o->whole), o->whole.len};
}

static void
refused(struct openai_run *o)
{
	int64_t seconds = upstream_retry_after_s(o->call);

	openai_reply_refusal(
	    &o->reply, upstream_status(o->call), whole_text(o), o->key);
	o->retry_after_s = seconds < 86400 ? (int)seconds : 86400;
	log_error("engine %s: refused with status %d", o->engine->name,
	    upstream_status(o->call));
}

/* The last event may lack the empty line behind it: [DONE] counts. */
static void
finish_stream(struct openai_run *o)
{
	struct sse_event event;
	bool got;

	if (sse_reader_finish(&o->sse, &event, &got) == ERR_NONE && got &&
	    span_is(span_trim(event.data), "[DONE]"))
		o->reply.done = true;
	if (!o->reply.done && !o->reply.finished)
		fail(o, FAULT_CUT);
	else
		o->reply.done = true;
}

static void
complete(struct openai_run *o)
{
	if (o->form == FORM_UNKNOWN)
		find_form(o);
	if (o->form == FORM_REFUSAL) {
		refused(o);
	} else if (o->form == FORM_STREAM) {
		finish_stream(o);
	} else if (o->form == FORM_WHOLE) {
		openai_reply_whole(
		    &o->reply, whole_text(o), o->key, &o->text);
		if (o->reply.fault == FAULT_NONE && !o->reply.finished)
			fail(o, FAULT_CUT);
		o->reply.done = true;
	}
}

static void
broken(struct openai_run *o, enum engine_fault fault)
{
	if (o->form == FORM_REFUSAL) {
		refused(o); /* its status was enough */
		return;
	}
	if (o->reply.finished) {
		o->reply.done = true; /* only the end of the frame is lost */
		return;
	}
	log_error("engine %s: %s", o->engine->name,
	    upstream_state(o->call) == UPSTREAM_RUNNING
		? engine_fault_text(fault)
		: upstream_reason(o->call));
	fail(o, fault);
}

static void
check_state(struct openai_run *o)
{
	switch (upstream_state(o->call)) {
	case UPSTREAM_RUNNING:
		return;
	case UPSTREAM_COMPLETE:
		complete(o);
		return;
	case UPSTREAM_UNREACHABLE:
	case UPSTREAM_UNTRUSTED:
		broken(o, FAULT_UNREACHABLE);
		return;
	case UPSTREAM_CUT:
		broken(o, FAULT_CUT);
		return;
	case UPSTREAM_FAILED:
		broken(o, FAULT_INTERNAL);
	}
}

/* When a clock runs out for the call that is running. */
static int64_t
deadline_ms(const struct openai_run *o)
{
	int64_t total = o->started_ms + o->engine->total_timeout_ms;
	int64_t quiet = upstream_received(o->call) == 0
			    ? o->call_ms + o->engine->first_byte_timeout_ms
			    : o->last_ms + o->engine->idle_timeout_ms;

	if (o->reply.finished && quiet > o->last_ms + FINISH_WAIT_MS)
		quiet = o->last_ms + FINISH_WAIT_MS;
	return quiet < total ? quiet : total;
}

static bool
has_news(const struct openai_run *o)
{
	return o->text.len > 0 || o->reply.fault != FAULT_NONE ||
	       o->reply.done;
}

static void
check_clocks(struct openai_run *o, int64_t now_ms)
{
	if (upstream_received(o->call) != o->received) {
		o->received = upstream_received(o->call);
		o->last_ms = now_ms;
	}
	if (!has_news(o) && now_ms >= deadline_ms(o))
		broken(o, FAULT_TIMEOUT);
}

/* ---- events ------------------------------------------------------------- */

static void
give_delta(struct openai_run *o, struct engine_event *event)
{
	event->kind = ENGINE_DELTA;
	event->text = (struct span){o->text.data, o->text.len};
	o->answer_bytes += (int64_t)o->text.len;
	o->answer_tokens += tokens_count(event->text);
	o->handed_on = true;
}

static void
give_end(struct openai_run *o, struct engine_event *event)
{
	struct engine_usage *usage = &event->usage;

	if (o->quirks != NULL) { /* it answers so */
		o->quirks->no_usage |= o->learnt.no_usage;
		o->quirks->max_completion |= o->learnt.max_completion;
	}
	event->kind = ENGINE_END;
	usage->prompt_tokens = o->reply.prompt_tokens;
	usage->completion_tokens = o->reply.completion_tokens;
	usage->estimated = !o->reply.has_usage;
	if (!usage->estimated)
		return;
	usage->completion_tokens = o->answer_tokens;
	usage->prompt_tokens = engine_count_prompt(o->request);
}

static void
give_error(struct openai_run *o, struct engine_event *event)
{
	event->kind = ENGINE_ERROR;
	event->fault = o->reply.fault;
	event->message = o->reply.message;
	event->retry_after_s = o->retry_after_s;
	event->usage_reported = o->reply.has_usage;
	event->usage.prompt_tokens = o->reply.prompt_tokens;
	event->usage.completion_tokens = o->reply.completion_tokens;
}

/* One look at the running call. */
static void
advance(struct openai_run *o, int64_t now_ms, const struct interests *ready)
{
	bool stepped = o->stepped;

	read_reply(o);
	if (!has_news(o) && !stepped) {
		upstream_step(o->call, now_ms, ready);
		read_reply(o);
		o->stepped = has_news(o); /* then one more look, no step */
	} else if (!has_news(o)) {
		o->stepped = false; /* the next wake-up brings more */
	}
	if (!has_news(o) && upstream_data(o->call).len == 0)
		check_state(o);
	check_clocks(o, now_ms);
}

static void
openai_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct openai_run *o = (struct openai_run *)run;

	*event = (struct engine_event){.kind = ENGINE_WAIT};
	buf_reset(&o->text);
	if (o->stage == STAGE_START ||
	    (o->stage == STAGE_PAUSE && now_ms >= o->retry_ms))
		start_call(o, now_ms);
	if (o->stage == STAGE_PAUSE)
		return;
	if (o->call != NULL && o->reply.fault == FAULT_NONE)
		advance(o, now_ms, ready);
	/* Text that came with the end or the fault goes first. */
	if (o->text.len > 0)
		give_delta(o, event);
	else if (o->reply.fault != FAULT_NONE) {
		if (try_again(o, now_ms))
			return;
		give_error(o, event);
		upstream_end(o->call); /* at once, whatever still comes */
		o->call = NULL;
	} else if (o->reply.done)
		give_end(o, event);
}

static void
openai_interests(struct engine_run *run, struct interests *in)
{
	struct openai_run *o = (struct openai_run *)run;

	if (o->stage == STAGE_PAUSE) {
		interests_wake(in, o->retry_ms);
	} else if (o->call == NULL || o->stepped) {
		interests_wake(in, 0);
	} else {
		upstream_interests(o->call, in);
		interests_wake(in, deadline_ms(o));
	}
}

static void
openai_free(struct engine_run *run)
{
	struct openai_run *o = (struct openai_run *)run;

	upstream_end(o->call);
	sse_reader_release(&o->sse);
	buf_release(&o->body);
	buf_release(&o->whole);
	buf_release(&o->text);
	free(o);
}

/* ---- starting ----------------------------------------------------------- */

/* The key and the address; false when the engine is not usable. */
static bool
set_up(struct openai_run *o, struct arena *arena)
{
	const struct engine_config *e = o->engine;
	struct span url = span_of(e->url);
	char id[UUID_TEXT] = "";

	o->key = e->key;
	if (o->key == NULL && e->key_env != NULL) {
		o->key = getenv(e->key_env);
		if (o->key == NULL)
			log_error("engine %s: %s is not set in the "
				  "environment", e->name, e->key_env);
	}
	if (!(span_starts(url, "http://") || span_starts(url, "https://")) ||
	    (e->key_env != NULL && o->key == NULL) ||
	    text_breaks_line(span_of(o->key)))
		return false;
	while (span_ends(url, "/"))
		url.len--;
	o->url = arena_printf(arena, "%.*s%s", (int)url.len, url.data,
	    span_ends(url, "/chat/completions") ? "" : "/chat/completions");
	if (o->key != NULL && *o->key != '\0') {
		o->authorization = arena_printf(
		    arena, "Authorization: Bearer %s", o->key);
		if (o->authorization == NULL)
			return false;
	}
	if (o->url == NULL || uuid_random(id) != ERR_NONE)
		return false;
	(void)snprintf(o->idempotency, sizeof(o->idempotency),
	    "Idempotency-Key: %s", id);
	return true;
}

enum err
openai_start(const struct engine_config *engine,
    const struct engine_request *request, struct engine_worker *worker,
    struct arena *arena, struct engine_run **run)
{
	static const struct engine_run_ops ops = {
	    openai_next,
	    openai_interests,
	    openai_free,
	};
	struct openai_run *o = calloc(1, sizeof(*o));

	*run = NULL;
	if (o == NULL)
		return ERR_MEMORY;
	o->run.ops = &ops;
	o->engine = engine;
	o->request = request;
	o->quirks = engine_worker_quirks(worker, engine);
	o->dialect.usage = engine->include_usage &&
			   (o->quirks == NULL || !o->quirks->no_usage);
	o->dialect.max_completion =
	    o->quirks != NULL && o->quirks->max_completion;
	buf_init(&o->body, REQUEST_MAX);
	buf_init(&o->whole, (size_t)engine->max_answer_bytes + REFUSAL_MAX);
	buf_init(&o->text, (size_t)engine->max_answer_bytes + EVENT_MAX);
	sse_reader_init(&o->sse, EVENT_MAX);
	if (engine_worker_upstream(worker, &o->upstream) != ERR_NONE ||
	    !set_up(o, arena)) {
		openai_free(&o->run);
		return engine_start_failed(arena, FAULT_NOT_CONFIGURED,
		    engine_fault_text(FAULT_NOT_CONFIGURED), run);
	}
	*run = &o->run;
	return ERR_NONE;
}
