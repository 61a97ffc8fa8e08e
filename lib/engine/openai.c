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
#include "engine/openai_fault.h"
#include "engine/openai_reply.h"
#include "engine/openai_request.h"
#include "http/sse_reader.h"
#include "upstream/endpoint.h"
#include "upstream/upstream.h"

#define REQUEST_MAX (64 * 1024 * 1024)
#define EVENT_MAX (4 * 1024 * 1024)
#define REFUSAL_MAX (64 * 1024)
#define DETAILS_MAX 2048
/* A stream's frame is some 250 bytes around a few letters. */
#define FRAME_FACTOR 128
#define RETRY_BASE_MS 250
#define RETRY_WAIT_MAX_MS 20000
/* After the finish reason only usage and [DONE] may follow; a server that
 * says it too early goes on within this. */
#define FINISH_WAIT_MS 5000

enum stage { STAGE_START, STAGE_CALL, STAGE_PAUSE, STAGE_OVER };
/* FORM_JSON is a whole completion, or lines of JSON: its first line tells. */
enum form { FORM_UNKNOWN, FORM_STREAM, FORM_JSON, FORM_WHOLE, FORM_REFUSAL };

struct openai_run {
	struct engine_run run;
	const struct engine_config *engine;
	const struct engine_request *request;
	struct upstream *upstream;
	struct upstream_call *call;
	struct endpoint at;
	char idempotency[64];
	enum stage stage;
	enum form form;
	struct buf body;  /* of the request */
	struct buf whole; /* of a reply that is no stream */
	size_t led;       /* FORM_STREAM: bytes of whole that were read */
	char first[200];  /* what a stream begins with, until it is known */
	size_t n_first;
	struct buf text;  /* the delta that was handed out */
	struct buf details; /* of the last fault, for the operator */
	struct sse_reader sse;
	struct openai_reply reply;
	struct openai_dialect dialect;
	struct engine_quirks learnt;  /* of this server, in this run */
	struct engine_quirks *quirks; /* what the worker knows, or NULL */
	bool stepped;       /* libcurl had its turn in this wake-up */
	bool handed_on;     /* the client has something of this answer */
	bool kept;          /* text is of the next event */
	int64_t tries;
	int64_t started_ms, call_ms, last_ms, retry_ms;
	int64_t received;   /* bytes of this call, as of last_ms */
	int64_t answer_bytes, answer_tokens;
	int64_t hidden_before; /* thoughts of calls before this one */
	int retry_after_s;
};

/* ---- the beginning and the end of a call -------------------------------- */

static void
begin_reply(struct openai_run *o)
{
	const struct engine_config *e = o->engine;

	openai_reply_init(&o->reply, thinking_manner_of(e->reasoning),
	    e->thinks_first || (o->quirks != NULL && o->quirks->thinks_first),
	    (size_t)e->max_answer_bytes + EVENT_MAX);
	o->reply.key = o->at.key;
	o->reply.question = o->request->question;
}

static void
reset_reply(struct openai_run *o)
{
	upstream_end(o->call);
	o->call = NULL;
	o->form = FORM_UNKNOWN;
	o->hidden_before += o->reply.thinking.tokens;
	openai_reply_release(&o->reply);
	begin_reply(o);
	o->received = 0;
	o->led = o->n_first = 0;
	buf_reset(&o->whole);
	buf_reset(&o->text);
	sse_reader_release(&o->sse);
	sse_reader_init(&o->sse, SSE_MODEL_SERVER, EVENT_MAX);
}

static void
fail_with(struct openai_run *o, enum engine_fault fault, const char *message)
{
	o->reply.fault = fault;
	(void)snprintf(o->reply.message, sizeof(o->reply.message), "%s",
	    message);
}

static void
fail(struct openai_run *o, enum engine_fault fault)
{
	fail_with(o, fault, engine_fault_text(fault));
}

static void
start_call(struct openai_run *o, int64_t now_ms)
{
	struct upstream_post post = {
	    .url = o->at.url,
	    .authorization = o->at.authorization,
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
	post.body = buf_span(&o->body);
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

/* Behind blanks and a byte order mark; some servers keep a connection alive
 * with blanks. */
static struct span
past_blanks(struct span s)
{
	if (span_starts(s, "\xEF\xBB\xBF")) {
		s.data += 3;
		s.len -= 3;
	}
	while (s.len > 0 && text_is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	return s;
}

/* Media types are not believed: streams come as text/plain, completions as
 * text/event-stream. */
static enum form
form_of(struct span s)
{
	bool maybe_mark = s.len < 3 && s.len > 0 && s.data[0] == '\xEF';

	s = past_blanks(s);
	if (s.len == 0 || maybe_mark)
		return FORM_UNKNOWN;
	return s.data[0] == '{' || s.data[0] == '[' ? FORM_JSON : FORM_STREAM;
}

static struct span
whole_text(const struct openai_run *o)
{
	return (struct span){buf_text(&o->whole), o->whole.len};
}

static bool
is_success(const struct openai_run *o)
{
	return upstream_status(o->call) / 100 == 2;
}

/* Blanks may come for long before it is known. */
static void
find_form(struct openai_run *o)
{
	struct span data = upstream_data(o->call);

	if (data.len == 0)
		return;
	if (!is_success(o)) {
		o->form = FORM_REFUSAL;
		return;
	}
	if (o->whole.len == 0)
		o->form = form_of(data);
	if (o->form != FORM_UNKNOWN)
		return;
	if (past_blanks(whole_text(o)).len == 0 && o->whole.len > 3)
		buf_truncate(&o->whole, 0);
	buf_add(&o->whole, data.data, data.len);
	upstream_take(o->call, data.len);
	o->form = form_of(whole_text(o));
}

/* What is to be read next of a stream: what was kept, then what comes. */
static struct span
next_input(struct openai_run *o)
{
	if (o->form == FORM_STREAM && o->led < o->whole.len)
		return (struct span){
		    o->whole.data + o->led, o->whole.len - o->led};
	return upstream_data(o->call);
}

static void
take_input(struct openai_run *o, size_t n)
{
	if (o->led < o->whole.len)
		o->led += n;
	else
		upstream_take(o->call, n);
}

/* What came first is shown to the operator when nothing was understood. */
static void
note_first(struct openai_run *o, struct span data)
{
	size_t room = sizeof(o->first) - o->n_first;
	size_t n = data.len < room ? data.len : room;

	if (o->reply.chunks || n == 0)
		return;
	memcpy(o->first + o->n_first, data.data, n);
	o->n_first += n;
}

static void
read_stream(struct openai_run *o)
{
	struct sse_event event;
	struct span rest, data;
	enum err err;
	bool got;

	while (o->reply.fault == FAULT_NONE &&
	       o->reply.state != REPLY_DONE && o->text.len == 0) {
		rest = data = next_input(o);
		if (data.len == 0)
			return;
		note_first(o, data);
		err = sse_reader_next(&o->sse, &rest, &event, &got);
		take_input(o, data.len - rest.len);
		if (err != ERR_NONE)
			fail(o, err == ERR_TOO_BIG ? FAULT_TOO_BIG
						   : FAULT_INTERNAL);
		else if (got)
			openai_reply_event(
			    &o->reply, event.type, event.data, &o->text);
	}
}

/* JSON whose first line is a chunk comes line by line. */
static void
judge_json(struct openai_run *o)
{
	struct span rest = past_blanks(whole_text(o)), line;

	if (memchr(rest.data, '\n', rest.len) == NULL)
		return;
	line = span_cut(&rest, '\n');
	o->form = openai_reply_is_chunk(line) || openai_end_mark(line)
		      ? FORM_STREAM : FORM_WHOLE;
}

static void
read_whole(struct openai_run *o)
{
	struct span data = upstream_data(o->call);

	buf_add(&o->whole, data.data, data.len);
	upstream_take(o->call, data.len);
	if (buf_err(&o->whole) != ERR_NONE)
		fail(o, FAULT_TOO_BIG);
	else if (o->form == FORM_JSON)
		judge_json(o);
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
	if (o->reply.fault != FAULT_NONE || o->reply.state == REPLY_DONE)
		return;
	if (o->form == FORM_UNKNOWN)
		find_form(o);
	if (o->form == FORM_JSON || o->form == FORM_WHOLE)
		read_whole(o);
	if (o->form == FORM_STREAM)
		read_stream(o);
	else if (o->form == FORM_REFUSAL)
		read_refusal(o);
	if (upstream_received(o->call) / FRAME_FACTOR >
		o->engine->max_answer_bytes ||
	    o->answer_bytes + (int64_t)o->text.len >
		o->engine->max_answer_bytes ||
	    (o->reply.fault == FAULT_NONE && buf_err(&o->text) != ERR_NONE)) {
		fail(o, FAULT_TOO_BIG);
		buf_reset(&o->text);
	}
}

/* ---- the end of a reply ------------------------------------------------- */

static void
refused(struct openai_run *o)
{
	int64_t seconds = upstream_retry_after_s(o->call);

	o->form = FORM_REFUSAL;
	openai_reply_refusal(
	    &o->reply, upstream_status(o->call), whole_text(o));
	o->retry_after_s = seconds < 86400 ? (int)seconds : 86400;
}

/* The frame has ended well: the last event may lack the empty line behind
 * it, and be cut. */
static void
finish_stream(struct openai_run *o)
{
	struct sse_event event;
	bool got = true;

	while (got && o->reply.fault == FAULT_NONE &&
	       o->reply.state != REPLY_DONE) {
		if (sse_reader_finish(&o->sse, &event, &got) != ERR_NONE)
			break;
		if (got)
			openai_reply_event(
			    &o->reply, event.type, event.data, &o->text);
	}
	if (o->reply.state == REPLY_DONE)
		return;
	if (o->reply.fault == FAULT_MALFORMED && o->reply.chunks)
		o->reply.fault = FAULT_NONE; /* of a line that is cut */
	if (o->reply.fault != FAULT_NONE)
		return;
	if (o->reply.state == REPLY_FINISHED)
		openai_reply_close(&o->reply, &o->text);
	else
		fail(o, o->reply.chunks ? FAULT_CUT : FAULT_MALFORMED);
	if (!o->reply.chunks)
		openai_words_log((struct span){o->first, o->n_first},
		    o->at.key, o->request->question, o->reply.words);
}

/* JSON may turn out to be lines of it, or to have marks of a stream behind
 * it: then it is read as one. */
static void
finish_whole(struct openai_run *o)
{
	if (openai_reply_whole(&o->reply, past_blanks(whole_text(o)),
		&o->text)) {
		if (o->reply.fault == FAULT_NONE)
			openai_reply_close(&o->reply, &o->text);
	} else {
		o->form = FORM_STREAM;
	}
}

static void
complete(struct openai_run *o)
{
	switch (o->form) {
	case FORM_UNKNOWN:
		if (is_success(o))
			fail(o, FAULT_CUT);
		else
			refused(o);
		break;
	case FORM_REFUSAL:
		refused(o);
		break;
	case FORM_STREAM:
		finish_stream(o);
		break;
	case FORM_JSON:
	case FORM_WHOLE:
		finish_whole(o);
		break;
	}
}

/* Is it whole all the same: is only the end of its frame lost?  Not when the
 * server has gone on after an end before. */
static bool
is_whole_without_frame(struct openai_run *o)
{
	if (o->form == FORM_JSON || o->form == FORM_WHOLE) {
		if (!openai_reply_whole(&o->reply,
			past_blanks(whole_text(o)), &o->text) ||
		    o->reply.state != REPLY_FINISHED) {
			buf_reset(&o->text);
			return o->reply.fault != FAULT_NONE;
		}
	} else if (o->reply.state != REPLY_FINISHED || o->reply.doubted) {
		return false;
	}
	openai_reply_close(&o->reply, &o->text);
	return true;
}

static void
broken(struct openai_run *o, enum engine_fault fault)
{
	if (o->form == FORM_REFUSAL || (upstream_status(o->call) != 0 &&
	    !is_success(o)))
		refused(o); /* its status was enough */
	else if (!is_whole_without_frame(o))
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

	if (o->reply.state == REPLY_FINISHED && !o->reply.doubted &&
	    quiet > o->last_ms + FINISH_WAIT_MS)
		quiet = o->last_ms + FINISH_WAIT_MS;
	return quiet < total ? quiet : total;
}

static bool
has_news(const struct openai_run *o)
{
	return o->text.len > 0 || o->reply.fault != FAULT_NONE ||
	       o->reply.state == REPLY_DONE;
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

static void
log_fault(struct openai_run *o)
{
	const struct upstream_call *call = o->call;
	struct openai_fault fault = {
	    .engine = o->engine,
	    .at = &o->at,
	    .fault = o->reply.fault,
	    .words = o->reply.words,
	};

	if (call == NULL)
		return; /* it was logged where it failed */
	fault.status = upstream_status(call);
	fault.content_type = upstream_content_type(call);
	fault.redirect = upstream_redirect(call);
	if (upstream_state(call) != UPSTREAM_RUNNING &&
	    upstream_state(call) != UPSTREAM_COMPLETE)
		fault.reason = upstream_reason(call);
	buf_reset(&o->details);
	openai_fault_text(&fault, &o->details);
	if (!o->request->quiet)
		log_error("%s", buf_text(&o->details));
}

/* ---- events ------------------------------------------------------------- */

static void
give_delta(struct openai_run *o, struct engine_event *event)
{
	event->kind = ENGINE_DELTA;
	event->text = buf_span(&o->text);
	o->answer_bytes += (int64_t)o->text.len;
	o->answer_tokens += tokens_count(event->text);
	o->handed_on = true;
}

/* Thoughts without an opening tag were taken for the answer.  What this
 * server does from now on is known, to this worker. */
static void
give_retract(struct openai_run *o, struct engine_event *event)
{
	o->reply.thinking.retract = false;
	o->learnt.thinks_first = true;
	log_info("engine %s: its answers begin with thoughts that have no "
		 "<think>: set thinks_first = yes", o->engine->name);
	if (!o->handed_on)
		return;
	event->kind = ENGINE_RETRACT;
	o->hidden_before += o->answer_tokens;
	o->answer_tokens = 0;
	o->kept = true; /* what came behind them */
}

static void
give_end(struct openai_run *o, struct engine_event *event)
{
	struct engine_usage *usage = &event->usage;

	if (o->quirks != NULL) { /* it answers so */
		o->quirks->no_usage |= o->learnt.no_usage;
		o->quirks->max_completion |= o->learnt.max_completion;
		/* An answer that was held back for nothing unlearns it. */
		o->quirks->thinks_first = o->learnt.thinks_first ||
		    (o->quirks->thinks_first && o->reply.thinking.thought);
	}
	event->kind = ENGINE_END;
	event->streamed = o->form == FORM_STREAM;
	usage->prompt_tokens = o->reply.prompt_tokens;
	usage->completion_tokens = o->reply.completion_tokens;
	usage->estimated = !o->reply.has_usage;
	if (!usage->estimated)
		return;
	usage->completion_tokens = o->answer_tokens + o->run.hidden_tokens;
	usage->prompt_tokens = engine_count_prompt(o->request);
}

static void
give_error(struct openai_run *o, struct engine_event *event)
{
	event->kind = ENGINE_ERROR;
	event->fault = o->reply.fault;
	event->message = o->reply.message;
	event->details = o->details.len > 0 ? buf_text(&o->details) : NULL;
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
	if (!has_news(o) && next_input(o).len == 0)
		check_state(o);
	check_clocks(o, now_ms);
}

static void
openai_next(struct engine_run *run, int64_t now_ms,
    const struct interests *ready, struct engine_event *event)
{
	struct openai_run *o = (struct openai_run *)run;

	*event = (struct engine_event){.kind = ENGINE_WAIT};
	if (!o->kept)
		buf_reset(&o->text);
	o->kept = false;
	if (o->stage == STAGE_START ||
	    (o->stage == STAGE_PAUSE && now_ms >= o->retry_ms))
		start_call(o, now_ms);
	if (o->stage == STAGE_PAUSE)
		return;
	if (o->call != NULL && o->reply.fault == FAULT_NONE &&
	    o->text.len == 0)
		advance(o, now_ms, ready);
	o->run.hidden_tokens = o->hidden_before + o->reply.thinking.tokens;
	if (o->reply.state == REPLY_DONE && o->reply.thinking.thought &&
	    !o->reply.thinking.said && o->reply.fault == FAULT_NONE)
		fail_with(o, FAULT_MALFORMED, "The model thought and gave no "
					      "answer.");
	if (o->reply.thinking.retract)
		give_retract(o, event);
	/* Text that came with the end or the fault goes first. */
	if (event->kind == ENGINE_RETRACT)
		return;
	if (o->text.len > 0)
		give_delta(o, event);
	else if (o->reply.fault != FAULT_NONE) {
		log_fault(o);
		if (try_again(o, now_ms))
			return;
		give_error(o, event);
		upstream_end(o->call); /* at once, whatever still comes */
		o->call = NULL;
	} else if (o->reply.state == REPLY_DONE) {
		give_end(o, event);
	}
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
	openai_reply_release(&o->reply);
	sse_reader_release(&o->sse);
	buf_release(&o->body);
	buf_release(&o->whole);
	buf_release(&o->text);
	buf_release(&o->details);
	free(o);
}

/* ---- starting ----------------------------------------------------------- */

/* False when the engine is not usable. */
static bool
set_up(struct openai_run *o, struct arena *arena)
{
	char id[UUID_TEXT] = "";

	if (endpoint_of(o->engine, ENDPOINT_CHAT, arena, &o->at) !=
		ERR_NONE ||
	    uuid_random(id) != ERR_NONE)
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
	buf_init(&o->details, DETAILS_MAX);
	buf_init(&o->text, (size_t)engine->max_answer_bytes + EVENT_MAX);
	sse_reader_init(&o->sse, SSE_MODEL_SERVER, EVENT_MAX);
	if (engine_worker_upstream(worker, &o->upstream) != ERR_NONE ||
	    !set_up(o, arena)) {
		openai_free(&o->run);
		return engine_start_failed(arena, FAULT_NOT_CONFIGURED,
		    engine_fault_text(FAULT_NOT_CONFIGURED), run);
	}
	begin_reply(o);
	*run = &o->run;
	return ERR_NONE;
}
