/*
 * Servers agree on nothing here: {"error":{"message","type","code"}}, error
 * as a text, a list of one object (Gemini), {"object":"error","message"}
 * (vLLM), {"detail":...} (FastAPI), base_resp (MiniMax), error_message
 * beside empty choices (DeepInfra), {"code":"InvalidApiKey","message"}
 * (DashScope).  So the members that can hold words are a list, and an
 * object is searched for them from its outermost to its innermost.
 */
#include "upstream/openai_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "upstream/openai_end.h"
#include "json/pyjson.h"

#define CLIENT_CODE_POINTS 120
#define LOG_CODE_POINTS 200
#define NESTING_MAX 4

static bool
contains(struct span s, const char *word)
{
	return s.data != NULL && word != NULL && *word != '\0' &&
	       memmem(s.data, s.len, word, strlen(word)) != NULL;
}

bool
openai_words_has(struct span s, const char *word)
{
	size_t n = strlen(word), i, k;

	for (i = 0; i + n <= s.len; i++) {
		for (k = 0; k < n && text_lower(s.data[i + k]) == word[k]; k++)
			continue;
		if (k == n)
			return true;
	}
	return false;
}

static struct span
text_or_number(const struct pyjson *v)
{
	return pyjson_is_string(v) ? span_trim(pyjson_string(v))
				   : pyjson_number(v);
}

/* ---- is it a failure? --------------------------------------------------- */

static bool
says_nothing(struct span s)
{
	static const char *const fine[] = {"", "0", "null", "none", "nil",
	    "false", "no", "ok", "success", "200", "undefined", "{}", "[]"};
	size_t i;

	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (span_is_nocase(s, fine[i]))
			return true;
	return false;
}

static bool
given_at(const struct pyjson *v, int depth)
{
	struct pyjson_iter it = pyjson_iter(v);
	const struct pyjson *value;

	switch (pyjson_kind(v)) {
	case PYJSON_TRUE:
		return true;
	case PYJSON_INT:
	case PYJSON_FLOAT:
	case PYJSON_STRING:
		return !says_nothing(text_or_number(v));
	case PYJSON_OBJECT:
	case PYJSON_ARRAY:
		while (depth < NESTING_MAX && pyjson_next(&it, NULL, &value))
			if (given_at(value, depth + 1))
				return true;
		return depth >= NESTING_MAX;
	default:
		return false;
	}
}

bool
openai_words_given(const struct pyjson *error)
{
	return given_at(error, 0);
}

static bool
is_failure_number(const struct pyjson *v)
{
	int64_t n;

	return text_to_int64(text_or_number(v), 400, 599, &n);
}

/* A text in `code` or `type` beside a message. */
static bool
is_failure_code(const struct pyjson *v)
{
	struct span s = text_or_number(v);

	return s.len > 0 && !says_nothing(s) &&
	    (pyjson_is_string(v) || s.data[0] != '-');
}

/* One member of an object that has no answer. */
static bool
member_failed(struct span name, const struct pyjson *v, bool *code,
    bool *message)
{
	bool flag;

	if (name.len >= 3 && (strncasecmp(name.data, "error", name.len < 5 ?
		name.len : 5) == 0 || span_starts(name, "err_") ||
		span_is(name, "errmsg")) && openai_words_given(v))
		return true;
	if (span_is(name, "success"))
		return pyjson_bool(v, &flag) && !flag;
	if (span_is(name, "base_resp"))
		return openai_words_given(pyjson_get(v, "status_code"));
	if (span_is(name, "object") || span_is(name, "type") ||
	    span_is(name, "event") || span_is(name, "status"))
		return pyjson_is_string(v)
			   ? openai_end_is_failure(pyjson_string(v))
			   : is_failure_number(v);
	if (span_is(name, "code") || span_is(name, "status_code") ||
	    span_is(name, "statusCode")) {
		*code = *code || is_failure_code(v);
		return is_failure_number(v);
	}
	if (span_is(name, "detail"))
		return openai_words_given(v);
	if (span_is(name, "message") || span_is(name, "msg")) {
		*message = *message || span_trim(pyjson_string(v)).len > 0;
		return openai_end_is_failure(pyjson_string(v));
	}
	return false;
}

bool
openai_words_failed(const struct pyjson *object, struct span kind)
{
	struct pyjson_iter it = pyjson_iter(object);
	const struct pyjson *value;
	bool code = false, message = false;
	struct span name;

	if (kind.len > 0 && openai_end_is_failure(kind))
		return true;
	if (!pyjson_is_object(object))
		return false;
	while (pyjson_next(&it, &name, &value))
		if (member_failed(name, value, &code, &message))
			return true;
	/* Choices that are there and empty, and words beside them. */
	return message && (code ||
	    pyjson_is_array(pyjson_get(object, "choices")));
}

/* ---- what does it say? -------------------------------------------------- */

static void
first_of(const struct pyjson *object, const char *const *names,
    struct span *out)
{
	for (; out->len == 0 && *names != NULL; names++)
		*out = text_or_number(pyjson_get(object, *names));
}

static void
find_at(const struct pyjson *v, int depth, struct openai_words *w)
{
	static const char *const messages[] = {"message", "msg",
	    "error_message", "error_msg", "errorMessage", "errmsg",
	    "status_msg", "detail", "error", "description", "title",
	    "reason", NULL};
	static const char *const codes[] = {"code", "error_code",
	    "status_code", "statusCode", "status", NULL};
	static const char *const types[] = {"type", "error_type", "status",
	    NULL};
	static const char *const params[] = {"param", NULL};
	static const char *const inner[] = {"error", "errors", "detail",
	    "base_resp", "message", NULL};
	const struct pyjson *in;
	size_t i;

	if (depth > NESTING_MAX)
		return;
	if (pyjson_is_string(v) && w->message.len == 0)
		w->message = span_trim(pyjson_string(v));
	if (pyjson_is_array(v))
		find_at(pyjson_item(v, 0), depth + 1, w);
	if (!pyjson_is_object(v))
		return;
	/* What is inside says it better than what is around it. */
	for (i = 0; inner[i] != NULL; i++) {
		in = pyjson_get(v, inner[i]);
		if (pyjson_is_object(in) || pyjson_is_array(in))
			find_at(in, depth + 1, w);
	}
	first_of(v, messages, &w->message);
	first_of(v, codes, &w->code);
	first_of(v, types, &w->type);
	first_of(v, params, &w->param);
}

void
openai_words_find(const struct pyjson *failure, struct openai_words *words)
{
	*words = (struct openai_words){.message = SPAN_NONE};
	find_at(failure, 0, words);
}

/* ---- for the client, for the log ---------------------------------------- */

void
openai_words_quote(struct span message, const char *key,
    char out[WORDS_CLIENT_MAX])
{
	struct span s = utf8_prefix(span_trim(message), CLIENT_CODE_POINTS);
	size_t i;

	out[0] = '\0';
	if (s.len == 0 || s.len >= WORDS_CLIENT_MAX || contains(s, key) ||
	    contains(s, "://") || contains(s, "sk-") ||
	    openai_words_has(s, "bearer") || contains(s, "<") ||
	    !utf8_valid(s, false))
		return;
	for (i = 0; i < s.len; i++)
		out[i] = (unsigned char)s.data[i] < ' ' ? ' ' : s.data[i];
	out[s.len] = '\0';
}

/* How long what looks like a key is at the front of s; 0: it is none. */
static size_t
key_length(struct span s, const char *key)
{
	static const char *const marks[] = {"sk-", "Bearer ", "bearer ",
	    "gsk_", "AIza", "hf_", "key-", "api-key: "};
	size_t i, n = 0;

	if (key != NULL && *key != '\0' && span_starts(s, key))
		return strlen(key);
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]) && n == 0; i++)
		if (span_starts(s, marks[i]))
			n = strlen(marks[i]);
	while (n > 0 && n < s.len && strchr(" \t\r\n\"'<>,;)", s.data[n]) ==
	    NULL)
		n++;
	return n;
}

/* The length of a tag of HTML, with what is in a style or script. */
static size_t
tag_length(struct span s)
{
	static const char *const whole[] = {"script", "style"};
	const char *end = memchr(s.data, '>', s.len);
	char close[16];
	const char *found;
	size_t i;

	if (s.len < 2 || end == NULL || (s.data[1] != '/' &&
	    s.data[1] != '!' && !text_is_alpha(s.data[1])))
		return 0;
	for (i = 0; i < 2; i++) {
		if (strncasecmp(s.data + 1, whole[i],
			s.len - 1 < strlen(whole[i]) ? s.len - 1
						     : strlen(whole[i])) != 0)
			continue;
		(void)snprintf(close, sizeof(close), "</%s>", whole[i]);
		found = memmem(s.data, s.len, close, strlen(close));
		if (found != NULL)
			end = found + strlen(close) - 1;
	}
	return (size_t)(end + 1 - s.data);
}

void
openai_words_log(struct span text, const char *key, struct span question,
    char out[WORDS_LOG_MAX])
{
	struct span s = span_trim(text);
	size_t at = 0, n = 0, skip, next, points = 0;
	bool space = false;

	question = span_trim(question);
	if (question.len >= 4 && s.len > 0 &&
	    memmem(s.data, s.len, question.data, question.len) != NULL) {
		(void)snprintf(out, WORDS_LOG_MAX,
		    "(its words repeat the question)");
		return;
	}
	while (at < s.len && n + 8 < WORDS_LOG_MAX &&
	       points < LOG_CODE_POINTS) {
		struct span rest = {s.data + at, s.len - at};

		skip = rest.data[0] == '<' ? tag_length(rest) : 0;
		if (skip > 0 || (unsigned char)rest.data[0] <= ' ' ||
		    rest.data[0] == '\x7F') {
			at += skip > 0 ? skip : 1;
			space = n > 0;
			continue;
		}
		if (space)
			out[n++] = ' ';
		space = false;
		skip = key_length(rest, key);
		if (skip > 0) {
			memcpy(out + n, "[key]", 5);
			n += 5;
			at += skip;
			continue;
		}
		next = 0;
		if (utf8_next(rest, &next) == UTF8_INVALID)
			out[n++] = '?';
		else
			memcpy(out + n, rest.data, next), n += next;
		at += next;
		points++;
	}
	if (at < s.len) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	out[n] = '\0';
}
