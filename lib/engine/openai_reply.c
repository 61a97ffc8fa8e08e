/*
 * Servers differ in what they leave out, so only what matters is looked at:
 * choices[0], its text, its finish reason; usage, wherever it stands; error,
 * wherever it stands.  An upstream's own words for an error reach the client
 * only when they can hold no secret and no address.
 */
#include "engine/openai_reply.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "json/pyjson.h"

#define REPLY_ARENA (64 * 1024 * 1024)
#define MESSAGE_CODE_POINTS 120

static const struct pyjson_limits limits = {
    .depth = 100, .int_digits = 400, .nodes = 200000};

static bool
contains(struct span s, const char *word)
{
	return s.data != NULL && word != NULL && *word != '\0' &&
	       memmem(s.data, s.len, word, strlen(word)) != NULL;
}

static void
fail(struct openai_reply *r, enum engine_fault fault)
{
	r->fault = fault;
	(void)snprintf(r->message, sizeof(r->message), "%s",
	    engine_fault_text(fault));
}

/* The upstream's own words, unless they could tell too much. */
static void
quote(struct openai_reply *r, struct span words, const char *key)
{
	struct span s = utf8_prefix(span_trim(words), MESSAGE_CODE_POINTS);
	size_t i;

	if (s.len == 0 || s.len >= sizeof(r->message) || contains(s, key) ||
	    contains(s, "://") || contains(s, "sk-") ||
	    contains(s, "Bearer") || !utf8_valid(s, false))
		return;
	for (i = 0; i < s.len; i++)
		r->message[i] =
		    (unsigned char)s.data[i] < ' ' ? ' ' : s.data[i];
	r->message[s.len] = '\0';
}

static bool
names(struct span code, struct span type, const char *word)
{
	return contains(code, word) || contains(type, word);
}

/* Code and type tell more than the status, where they are given. */
static enum engine_fault
fault_of(int status, struct span code, struct span type)
{
	if (names(code, type, "insufficient_quota") || status == 402)
		return FAULT_QUOTA;
	if (names(code, type, "rate_limit") || status == 429 ||
	    span_is(code, "429"))
		return FAULT_RATE_LIMIT;
	if (names(code, type, "invalid_api_key") || status == 401 ||
	    status == 403)
		return FAULT_CREDENTIALS;
	if (names(code, type, "model_not_found") || status == 404)
		return FAULT_MODEL;
	if (status >= 500)
		return FAULT_UNREACHABLE;
	return FAULT_REFUSED;
}

static struct span
text_or_number(const struct pyjson *v)
{
	return pyjson_is_string(v) ? pyjson_string(v) : pyjson_number(v);
}

/* error is an object with message, code and type, or a plain text. */
static void
take_error(struct openai_reply *r, int status, const struct pyjson *error,
    const char *key)
{
	struct span words = pyjson_is_string(error)
				? pyjson_string(error)
				: pyjson_string(pyjson_get(error, "message"));
	struct span param = pyjson_string(pyjson_get(error, "param"));

	fail(r, fault_of(status, text_or_number(pyjson_get(error, "code")),
		    pyjson_string(pyjson_get(error, "type"))));
	r->blames_usage = contains(words, "stream_options") ||
			  contains(words, "include_usage") ||
			  contains(param, "stream_options");
	r->blames_max = contains(words, "max_completion_tokens");
	if (r->fault == FAULT_REFUSED)
		quote(r, words, key);
}

static void
take_usage(struct openai_reply *r, const struct pyjson *usage)
{
	int64_t prompt, completion;

	if (!pyjson_int64(pyjson_get(usage, "prompt_tokens"), &prompt) ||
	    !pyjson_int64(
		pyjson_get(usage, "completion_tokens"), &completion) ||
	    prompt < 0 || completion < 0 || prompt > INT32_MAX ||
	    completion > INT32_MAX)
		return;
	r->prompt_tokens = prompt;
	r->completion_tokens = completion;
	r->has_usage = true;
}

/* content is a text, null, or a list of parts with texts. */
static void
take_content(struct openai_reply *r, const struct pyjson *content,
    struct buf *text)
{
	struct pyjson_iter it = pyjson_iter(content);
	const struct pyjson *part;
	struct span s;

	if (pyjson_is_string(content)) {
		text_join_add(&r->join, pyjson_string(content), text);
	} else if (pyjson_is_array(content)) {
		while (pyjson_next(&it, NULL, &part)) {
			s = pyjson_string(pyjson_get(part, "text"));
			text_join_add(&r->join, s, text);
		}
	}
}

static void
take_choice(struct openai_reply *r, const struct pyjson *choice,
    const char *part, struct buf *text)
{
	const struct pyjson *said = pyjson_get(choice, part);

	take_content(r, pyjson_get(said, "content"), text);
	take_content(r, pyjson_get(said, "refusal"), text);
	if (pyjson_given(pyjson_get(choice, "finish_reason"))) {
		r->finished = true;
		text_join_end(&r->join, text);
	}
}

static void
take_object(struct openai_reply *r, const struct pyjson *object,
    const char *part, const char *key, struct buf *text)
{
	const struct pyjson *error = pyjson_get(object, "error");
	const struct pyjson *choices = pyjson_get(object, "choices");

	if (pyjson_given(error))
		take_error(r, 200, error, key);
	else if (!pyjson_is_object(object) ||
		 (!pyjson_is_array(choices) &&
		     !pyjson_given(pyjson_get(object, "usage"))))
		fail(r, FAULT_MALFORMED);
	else
		take_choice(r, pyjson_item(choices, 0), part, text);
	take_usage(r, pyjson_get(object, "usage"));
}

void
openai_reply_event(struct openai_reply *r, struct span type,
    struct span data, const char *key, struct buf *text)
{
	const struct pyjson *object = NULL;
	struct arena arena;

	if (span_is(span_trim(data), "[DONE]")) {
		text_join_end(&r->join, text);
		r->done = true;
		return;
	}
	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, data, &limits, &object, NULL) != ERR_NONE)
		fail(r, FAULT_MALFORMED);
	else if (span_is(type, "error") &&
		 !pyjson_given(pyjson_get(object, "error")))
		take_error(r, 200, object, key);
	else
		take_object(r, object, "delta", key, text);
	arena_release(&arena);
}

void
openai_reply_whole(struct openai_reply *r, struct span body, const char *key,
    struct buf *text)
{
	const struct pyjson *object = NULL;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, body, &limits, &object, NULL) != ERR_NONE)
		fail(r, FAULT_MALFORMED);
	else
		take_object(r, object, "message", key, text);
	arena_release(&arena);
}

void
openai_reply_refusal(struct openai_reply *r, int status, struct span body,
    const char *key)
{
	const struct pyjson *object = NULL, *error;
	struct arena arena;

	if (status < 400) { /* a redirect, or nothing at all */
		fail(r, FAULT_MALFORMED);
		return;
	}
	arena_init(&arena, REPLY_ARENA);
	if (pyjson_decode(&arena, body, &limits, &object, NULL) != ERR_NONE)
		object = NULL;
	error = pyjson_get(object, "error");
	if (!pyjson_given(error)) /* some put it at the top, or in detail */
		error = pyjson_given(pyjson_get(object, "detail"))
			    ? pyjson_get(object, "detail")
			    : object;
	take_error(r, status, error, key);
	/* FastAPI's servers name the field in a list. */
	if (contains(body, "stream_options"))
		r->blames_usage = true;
	arena_release(&arena);
}
