/*
 * Servers differ in what they leave out, so only what matters is looked at:
 * choices[0], its text, its thoughts, its finish reason; usage, wherever it
 * stands; an error, wherever it stands.  What is neither is skipped: pings,
 * metadata, marks.  An upstream's own words for an error reach the client
 * only when they can hold no secret and no address.
 *
 * A chunk comes for every few letters, so its members are walked once.
 */
#include "engine/openai_reply.h"

#include <stdio.h>
#include <string.h>

#include "json/pyjson.h"

#define REPLY_ARENA (64 * 1024 * 1024)
/* Longer text that is no JSON is no ping. */
#define REMARK_MAX 64

static const struct pyjson_limits limits = {
    .depth = 100, .int_digits = 400, .nodes = 200000};

void
openai_reply_init(struct openai_reply *r, enum thinking_manner manner,
    bool thinks_first, size_t max)
{
	*r = (struct openai_reply){.fault = FAULT_NONE};
	thinking_init(&r->thinking, manner, thinks_first, max);
	buf_init(&r->piece, max);
}

void
openai_reply_release(struct openai_reply *r)
{
	thinking_release(&r->thinking);
	buf_release(&r->piece);
}

/* ---- failures ------------------------------------------------------------ */

static void
fail(struct openai_reply *r, enum engine_fault fault)
{
	r->fault = fault;
	(void)snprintf(r->message, sizeof(r->message), "%s",
	    engine_fault_text(fault));
}

/* "The model `x` does not exist", "model not found, try pulling it first" */
static bool
speaks_of_model(const struct openai_words *w)
{
	static const char *const lacks[] = {"not found", "not exist",
	    "no such", "unknown", "not available", "not supported",
	    "no endpoints", "not support", "not_found", "invalid model",
	    "no access", "not have access"};
	size_t i;

	if (openai_words_has(w->code, "model") ||
	    openai_words_has(w->code, "deployment") ||
	    openai_words_has(w->type, "model_not"))
		return true;
	if (!openai_words_has(w->message, "model") &&
	    !openai_words_has(w->message, "deployment") &&
	    !openai_words_has(w->message, "no endpoints"))
		return false;
	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		if (openai_words_has(w->message, lacks[i]))
			return true;
	return false;
}

/* "API key not valid", with a code that does not say so */
static bool
speaks_of_key(const struct openai_words *w)
{
	struct span s = w->message;

	return (openai_words_has(s, "api key") ||
		   openai_words_has(s, "api-key") ||
		   openai_words_has(s, "apikey")) &&
	    (openai_words_has(s, "not valid") ||
		openai_words_has(s, "invalid") ||
		openai_words_has(s, "incorrect"));
}

static bool
code_has(const struct openai_words *w, const char *word)
{
	return openai_words_has(w->code, word) ||
	    openai_words_has(w->type, word);
}

/* Code and type tell more than the status, where they are given. */
static enum engine_fault
fault_of(const struct openai_words *w, int status)
{
	int http = status;
	int64_t code;

	if ((status == 0 || status / 100 == 2) &&
	    text_to_int64(w->code, 400, 599, &code))
		status = (int)code;
	if (code_has(w, "insufficient_quota") || code_has(w, "billing") ||
	    code_has(w, "insufficient_balance") || status == 402)
		return FAULT_QUOTA;
	if (code_has(w, "rate_limit") || code_has(w, "resource_exhausted") ||
	    status == 429)
		return FAULT_RATE_LIMIT;
	if (code_has(w, "content_filter") || code_has(w, "content_policy") ||
	    code_has(w, "responsibleai"))
		return FAULT_FILTERED;
	if (code_has(w, "invalid_api_key") || code_has(w, "invalidapikey") ||
	    code_has(w, "authentication") || status == 401 ||
	    status == 403 || speaks_of_key(w))
		return FAULT_CREDENTIALS;
	if ((status == 0 || status == 200 || status == 400 ||
	    status == 404 || status == 422) && speaks_of_model(w))
		return FAULT_MODEL;
	if (http >= 500)
		return FAULT_UNREACHABLE;
	if (http == 404 || http == 405 || http == 410 || http / 100 == 3)
		return FAULT_ADDRESS;
	return FAULT_REFUSED;
}

static bool
names(struct span s, const char *word)
{
	return s.data != NULL &&
	    memmem(s.data, s.len, word, strlen(word)) != NULL;
}

/* status: of the reply; 0 inside one that has begun well. */
static void
fail_with(struct openai_reply *r, int status, const struct openai_words *w)
{
	char quoted[WORDS_CLIENT_MAX];

	fail(r, fault_of(w, status));
	r->blames_usage = names(w->message, "stream_options") ||
	    names(w->message, "include_usage") ||
	    names(w->param, "stream_options");
	r->blames_max = names(w->message, "max_completion_tokens");
	if (r->fault == FAULT_UNREACHABLE)
		(void)snprintf(r->message, sizeof(r->message), "%s",
		    status == 500 ? "The model's server failed."
				  : "The model's server is not available.");
	openai_words_quote(w->message, r->key, quoted);
	if (r->fault == FAULT_REFUSED && quoted[0] != '\0')
		memcpy(r->message, quoted, sizeof(quoted));
	openai_words_log(w->message.len > 0 ? w->message : w->code, r->key,
	    r->question, r->words);
}

static void
fail_as_told(struct openai_reply *r, const struct pyjson *failure)
{
	struct openai_words words;

	openai_words_find(failure, &words);
	fail_with(r, 0, &words);
}

/* ---- usage --------------------------------------------------------------- */

static bool
count(const struct pyjson *usage, const char *name, int64_t *out)
{
	return pyjson_int64(pyjson_get(usage, name), out) && *out >= 0 &&
	    *out <= INT32_MAX;
}

static void
take_usage(struct openai_reply *r, const struct pyjson *usage)
{
	int64_t prompt, completion, total;

	if (!count(usage, "prompt_tokens", &prompt) ||
	    !count(usage, "completion_tokens", &completion))
		return;
	/* Some leave thoughts out of the completion (xAI, Gemini). */
	if (count(usage, "total_tokens", &total) &&
	    total > prompt + completion)
		completion = total - prompt;
	r->prompt_tokens = prompt;
	r->completion_tokens = completion;
	r->has_usage = true;
}

/* ---- text ---------------------------------------------------------------- */

static void
add_text(struct openai_reply *r, struct span s, struct buf *text)
{
	if (s.len == 0)
		return;
	if (r->state == REPLY_FINISHED && span_trim(s).len > 0) {
		r->state = REPLY_OPEN; /* it was none */
		r->doubted = true;
	}
	buf_reset(&r->piece);
	text_join_add(&r->join, s, &r->piece);
	thinking_text(&r->thinking,
	    (struct span){r->piece.data, r->piece.len}, text);
}

static bool
is_thought(const struct pyjson *part)
{
	struct span type = pyjson_string(pyjson_get(part, "type"));

	bool flag;

	return names(type, "think") || names(type, "reason") ||
	    names(type, "thought") ||
	    (pyjson_bool(pyjson_get(part, "thought"), &flag) && flag);
}

static void add_parts(struct openai_reply *r, const struct pyjson *v,
    bool thought, struct buf *text);

/* A text; an object that has one; or a list of these. */
static void
add_value(struct openai_reply *r, const struct pyjson *v, bool thought,
    struct buf *text)
{
	if (!pyjson_is_string(v))
		add_parts(r, v, thought, text);
	else if (thought)
		thinking_thought(&r->thinking, pyjson_string(v), text);
	else
		add_text(r, pyjson_string(v), text);
}

static void
add_parts(struct openai_reply *r, const struct pyjson *v, bool thought,
    struct buf *text)
{
	static const char *const members[] = {"text", "thinking", "content",
	    "value", "summary", "refusal"};
	struct pyjson_iter it = pyjson_iter(v);
	const struct pyjson *in;
	size_t i;

	if (pyjson_is_array(v)) {
		while (pyjson_next(&it, NULL, &in))
			add_value(r, in, thought, text);
		return;
	}
	thought = thought || is_thought(v);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		in = pyjson_get(v, members[i]);
		if (pyjson_given(in)) {
			add_value(r, in, thought, text);
			return;
		}
	}
}

/* Models' thoughts have many names; two of them in one chunk say the same. */
static bool
is_thought_name(struct span name)
{
	static const char *const known[] = {"reasoning_content", "reasoning",
	    "thinking", "thinking_content", "reasoning_text", "thought",
	    "thoughts", "reasoning_details", "thinking_blocks"};
	size_t i;

	if (name.data[0] != 'r' && name.data[0] != 't')
		return false;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(name, known[i]))
			return true;
	return false;
}

/* Text that is there and not empty, at any depth of it. */
static bool
has_text(const struct pyjson *v)
{
	struct pyjson_iter it = pyjson_iter(v);
	const struct pyjson *in;

	if (pyjson_is_string(v))
		return pyjson_string(v).len > 0;
	return pyjson_next(&it, NULL, &in);
}

/* A delta or a message. */
static void
take_said(struct openai_reply *r, const struct pyjson *said, struct buf *text)
{
	const struct pyjson *thought = NULL, *content = NULL, *refusal = NULL,
			    *error = NULL, *value;
	struct pyjson_iter it = pyjson_iter(said);
	bool aloud = false; /* Gemini: the content is thought */
	struct span name;

	if (!pyjson_is_object(said)) {
		if (pyjson_is_string(said))
			add_text(r, pyjson_string(said), text);
		return;
	}
	while (pyjson_next(&it, &name, &value)) {
		if (name.len < 5)
			continue;
		if (span_is(name, "content"))
			content = value;
		else if (span_is(name, "refusal"))
			refusal = value;
		else if (span_is(name, "error"))
			error = value;
		else if (span_is(name, "extra_content"))
			aloud = is_thought(pyjson_get(value, "google"));
		else if (is_thought_name(name) && thought == NULL &&
		    has_text(value))
			thought = value;
	}
	if (thought != NULL)
		add_value(r, thought, true, text);
	if (content != NULL)
		add_value(r, content, aloud, text);
	if (refusal != NULL)
		add_value(r, refusal, false, text);
	if (openai_words_given(error))
		fail_as_told(r, error);
}

/* ---- chunks -------------------------------------------------------------- */

static void
take_finish(struct openai_reply *r, const struct pyjson *reason)
{
	struct span word = pyjson_string(reason);
	enum openai_end end = openai_end_of(reason);

	if (end == END_NONE || r->fault != FAULT_NONE)
		return;
	r->end = end;
	if (end == END_STOP || end == END_LENGTH) {
		r->state = REPLY_FINISHED;
		return;
	}
	if (pyjson_is_object(reason)) {
		fail_as_told(r, reason);
		if (end == END_FILTER)
			fail(r, FAULT_FILTERED);
		return;
	}
	fail(r, end == END_FILTER ? FAULT_FILTERED : FAULT_CUT);
	openai_words_log(word, r->key, r->question, r->words);
}

static void
take_choice(struct openai_reply *r, const struct pyjson *choice,
    bool is_completion, struct buf *text)
{
	const struct pyjson *delta = NULL, *message = NULL, *legacy = NULL,
			    *finish = NULL, *error = NULL, *value;
	struct pyjson_iter it = pyjson_iter(choice);
	struct span name;

	while (pyjson_next(&it, &name, &value)) {
		if (name.len == 5) {
			if (span_is(name, "delta"))
				delta = value;
			else if (span_is(name, "error"))
				error = value;
			else if (span_is(name, "usage"))
				take_usage(r, value); /* Moonshot */
		} else if (span_is(name, "finish_reason") ||
		    span_is(name, "finishReason")) {
			finish = value;
		} else if (span_is(name, "message")) {
			message = value;
		} else if (span_is(name, "text")) {
			legacy = value;
		}
	}
	r->chunks = true;
	if (pyjson_given(delta))
		take_said(r, delta, text);
	else if (pyjson_given(message) && !(is_completion && r->thinking.said))
		take_said(r, message, text); /* not what was said already */
	else if (pyjson_is_string(legacy))
		add_text(r, pyjson_string(legacy), text);
	if (r->fault == FAULT_NONE && openai_words_given(error))
		fail_as_told(r, error);
	else
		take_finish(r, finish);
}

static void
take_object(struct openai_reply *r, const struct pyjson *object,
    struct span kind, struct buf *text)
{
	const struct pyjson *choices = NULL, *usage = NULL, *error = NULL,
			    *choice, *value;
	struct pyjson_iter it = pyjson_iter(object);
	bool is_completion = false;
	struct span name;

	while (pyjson_next(&it, &name, &value)) {
		if (span_is(name, "choices"))
			choices = value;
		else if (span_is(name, "usage"))
			usage = value;
		else if (span_is(name, "object"))
			is_completion = span_is(
			    pyjson_string(value), "chat.completion");
		else if (name.len >= 5 && memcmp(name.data, "error", 5) == 0 &&
		    error == NULL && openai_words_given(value))
			error = span_is(name, "error") ? value : object;
		else if (span_is(name, "x_groq")) {
			take_usage(r, pyjson_get(value, "usage"));
			if (openai_words_given(pyjson_get(value, "error")))
				error = value;
		}
	}
	if (pyjson_given(usage))
		take_usage(r, usage);
	choice = pyjson_item(choices, 0);
	if (error != NULL)
		fail_as_told(r, error);
	else if (kind.len > 0 && openai_end_is_failure(kind))
		fail_as_told(r, object);
	else if (pyjson_is_object(choice))
		take_choice(r, choice, is_completion, text);
	else if (openai_words_failed(object, kind))
		fail_as_told(r, object);
}

/* Data that is no JSON: a remark of the server, an error, or rubbish. */
static void
take_remark(struct openai_reply *r, struct span data, struct span kind)
{
	struct openai_words words = {.message = span_trim(data)};

	bool rubbish = span_starts(words.message, "{") ||
	    span_starts(words.message, "[{");

	if (openai_end_is_failure(kind) ||
	    (!rubbish && openai_end_is_failure(words.message))) {
		fail_with(r, 0, &words);
		return;
	}
	if (words.message.len > REMARK_MAX || rubbish) {
		fail(r, FAULT_MALFORMED);
		(void)snprintf(r->words, sizeof(r->words),
		    "an event of %zu bytes is no JSON", data.len);
	}
}

void
openai_reply_event(struct openai_reply *r, struct span type,
    struct span data, struct buf *text)
{
	const struct pyjson *object = NULL, *item;
	struct pyjson_iter it;
	struct arena arena;

	while (span_starts(data, "data:")) { /* a prefix too many */
		data.data += 5;
		data.len -= 5;
		data = span_trim(data);
	}
	if (data.len < 16 && openai_end_mark(data)) {
		openai_reply_close(r, text);
		return;
	}
	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, data, &limits, &object, NULL) != ERR_NONE) {
		take_remark(r, data, type);
	} else if (pyjson_is_array(object)) {
		it = pyjson_iter(object);
		while (r->fault == FAULT_NONE && pyjson_next(&it, NULL, &item))
			take_object(r, item, type, text);
	} else if (pyjson_is_object(object)) {
		take_object(r, object, type, text);
	} else {
		take_remark(r, pyjson_is_string(object)
			? pyjson_string(object) : SPAN_NONE, type);
	}
	arena_release(&arena);
}

/* ---- a whole completion, a refusal -------------------------------------- */

/* The body without the marks of a stream behind it. */
static struct span
without_marks(struct span body)
{
	const char *end = memrchr(body.data, '}', body.len);

	if (end == NULL)
		return body;
	return (struct span){body.data, (size_t)(end + 1 - body.data)};
}

bool
openai_reply_whole(struct openai_reply *r, struct span body, struct buf *text)
{
	const struct pyjson *object = NULL;
	struct arena arena;
	bool good;

	arena_init(&arena, REPLY_ARENA);
	good = pyjson_decode(&arena, body, &limits, &object, NULL) ==
		   ERR_NONE ||
	    pyjson_decode(&arena, without_marks(body), &limits, &object,
		NULL) == ERR_NONE;
	if (good && pyjson_is_array(object))
		object = pyjson_item(object, 0);
	if (good)
		take_object(r, object, SPAN_NONE, text);
	if (good && r->fault == FAULT_NONE && !r->chunks) {
		fail(r, FAULT_MALFORMED);
		(void)snprintf(r->words, sizeof(r->words),
		    "JSON without choices");
	}
	arena_release(&arena);
	return good;
}

void
openai_reply_refusal(struct openai_reply *r, int status, struct span body)
{
	const struct pyjson *object = NULL;
	struct openai_words words = {.message = SPAN_NONE};
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, body, &limits, &object, NULL) == ERR_NONE)
		openai_words_find(object, &words);
	fail_with(r, status, &words);
	if (words.message.len == 0)
		openai_words_log(body, r->key, r->question, r->words);
	/* FastAPI's servers name the field in a list. */
	if (names(body, "stream_options"))
		r->blames_usage = true;
	arena_release(&arena);
}

void
openai_reply_close(struct openai_reply *r, struct buf *text)
{
	if (r->state == REPLY_DONE)
		return;
	r->state = REPLY_DONE;
	buf_reset(&r->piece);
	text_join_end(&r->join, &r->piece);
	thinking_text(&r->thinking,
	    (struct span){r->piece.data, r->piece.len}, text);
	thinking_end(&r->thinking, r->end == END_LENGTH, text);
}

bool
openai_reply_is_chunk(struct span line)
{
	const struct pyjson *object = NULL, *choice;
	struct arena arena;
	bool is = false;

	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, line, &limits, &object, NULL) == ERR_NONE) {
		choice = pyjson_item(pyjson_get(object, "choices"), 0);
		is = pyjson_given(pyjson_get(choice, "delta")) ||
		    span_is(pyjson_string(pyjson_get(object, "object")),
			"chat.completion.chunk");
	}
	arena_release(&arena);
	return is;
}
