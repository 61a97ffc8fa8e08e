/*
 * Servers have many words for a failure and invent more, so words are looked
 * for in what they say; the words for a good end need no list, because every
 * text that is not another one of these is a good end.
 */
#include "upstream/openai_end.h"

#include <string.h>

#include "json/pyjson.h"

#define REASON_MAX 96 /* bytes of a reason that are looked at */

/* Other languages' words for null, and states that are no end. */
static const char *const not_yet[] = {"null", "none", "nil", "undefined",
    "false", "unspecified", "finish_reason_unspecified", "in_progress",
    "running", "pending", "processing", "continue", NULL};

static const char *const failures[] = {"error", "abort", "cancel", "fail",
    "timeout", "time_out", "timed_out", "exception", "disconnect",
    "interrupt", "overload", "insufficient", "unavailable", "crash",
    "incomplete", "malformed", "unexpected", "rate_limit", "shutdown",
    "shutting_down", "preempt", "exhausted", "denied", "killed", "invalid",
    "unauthorized", "forbidden", "not_found", "does_not_exist", "exceeded",
    "exceeds", "not_supported", "unsupported", "refused", "went_wrong",
    "too_many_requests", "out_of_memory", "broken", "connection_reset",
    "connection_closed", "try_again", NULL};

static const char *const filters[] = {"filter", "safety", "sensitive",
    "moderation", "policy", "blocked", "blocklist", "recitation",
    "prohibited", "spii", "guardrail", "refusal", "unsafe", "violation",
    "risk", "censor", NULL};

/* "max_tokens_exceeded" is one of these, and no failure. */
static const char *const lengths[] = {"length", "max_tokens", "max_token",
    "max_output", "max_completion", "token_limit", NULL};

/* Lower case, and one form of what stands between words. */
static struct span
normal(struct span words, char out[REASON_MAX])
{
	size_t i, n = words.len < REASON_MAX ? words.len : REASON_MAX;

	for (i = 0; i < n; i++) {
		out[i] = text_lower(words.data[i]);
		if (out[i] == ' ' || out[i] == '-')
			out[i] = '_';
	}
	return (struct span){out, n};
}

static bool
has_any(struct span s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (memmem(s.data, s.len, *words, strlen(*words)) != NULL)
			return true;
	return false;
}

static bool
is_any(struct span s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_is(s, *words))
			return true;
	return false;
}

static enum openai_end
end_of_word(struct span word)
{
	char text[REASON_MAX];
	struct span s;

	word = span_trim(word);
	if (span_is(word, "stop"))
		return END_STOP;
	s = normal(word, text);
	if (s.len == 0 || is_any(s, not_yet))
		return END_NONE;
	if (has_any(s, lengths))
		return END_LENGTH;
	if (has_any(s, filters))
		return END_FILTER;
	return has_any(s, failures) ? END_FAILURE : END_STOP;
}

/* An object never ends an answer well: {"type":"stop"} says nothing for
 * sure, anything else in it ("abort", a message, a code) is a failure. */
static enum openai_end
end_of_object(const struct pyjson *reason)
{
	struct span type = pyjson_string(pyjson_get(reason, "type"));
	enum openai_end end;

	if (pyjson_count(reason) == 0)
		return END_NONE;
	if (type.len == 0)
		type = pyjson_string(pyjson_get(reason, "reason"));
	end = end_of_word(type);
	if (pyjson_given(pyjson_get(reason, "error")) || type.len == 0)
		return END_FAILURE;
	return end == END_STOP || end == END_LENGTH ? END_NONE : end;
}

enum openai_end
openai_end_of(const struct pyjson *reason)
{
	if (pyjson_is_string(reason))
		return end_of_word(pyjson_string(reason));
	return pyjson_is_object(reason) ? end_of_object(reason) : END_NONE;
}

bool
openai_end_mark(struct span data)
{
	struct span s = span_trim(data);

	if (s.len > 2 && s.data[0] == '"' && s.data[s.len - 1] == '"')
		s = span_trim((struct span){s.data + 1, s.len - 2});
	return span_is_nocase(s, "[DONE]") || span_is_nocase(s, "DONE");
}

bool
openai_end_is_failure(struct span words)
{
	char text[REASON_MAX];
	struct span s = span_trim(words), part;
	size_t at;

	/* A sentence may say it late; parts overlap by a word. */
	for (at = 0; at < s.len; at += REASON_MAX - 24) {
		part = (struct span){s.data + at, s.len - at};
		if (has_any(normal(part, text), failures))
			return true;
	}
	return false;
}
