/* See check.h. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mem.h"
#include "relation.h"
#include "shown.h"

#define SHOWN 300

static bool
fail(struct difference *d, const char *where, const char *expected,
    const char *got)
{
	*d = (struct difference){where, expected, got};
	return false;
}

static const char *
shown_body(struct arena *a, const struct reply *reply)
{
	size_t n = reply->body.len > SHOWN ? SHOWN : reply->body.len;

	if (n == 0)
		return "(no body)";
	return mem_printf(a, "%s%s",
	    shown_text(a, (struct span){reply->body.data, n},
		SHOWN_ONE_LINE),
	    n < reply->body.len ? "..." : "");
}

const char *
check_media_type(struct arena *a, const struct reply *reply)
{
	struct span type = reply_header(a, reply, "Content-Type");
	char *text;
	size_t i;

	if (type.data == NULL)
		return "";
	type = span_trim(span_cut(&type, ';'));
	text = must(arena_strndup(a, type.data, type.len));
	for (i = 0; i < type.len; i++)
		text[i] = text_lower(text[i]);
	return text;
}

static bool
is_json_type(const char *type)
{
	return strcmp(type, "application/json") == 0 ||
	    (strncmp(type, "application/", 12) == 0 &&
		span_ends(span_of(type), "+json"));
}

static bool
has_no_body(const char *method, const struct reply *reply)
{
	return strcmp(method, "HEAD") == 0 || reply->status == 204 ||
	    reply->status == 304;
}

static bool
check_body_form(struct arena *a, const char *method,
    const struct reply *reply, struct content *content,
    struct difference *d)
{
	const char *type = check_media_type(a, reply);
	bool json = is_json_type(type);
	struct jv_error error;

	if (has_no_body(method, reply) && reply->body.len == 0)
		return true;
	if ((json || strncmp(type, "text/", 5) == 0) &&
	    !utf8_valid(reply->body, false))
		return fail(d, "body", "UTF-8", shown_body(a, reply));
	if (json) {
		content->json = jv_parse(a, reply->body, false, &error);
		if (content->json == NULL)
			return fail(d,
			    mem_printf(a, "body, byte %zu", error.offset),
			    mem_printf(a, "JSON (%s)", error.msg),
			    shown_body(a, reply));
	}
	if (strcmp(type, "text/event-stream") == 0) {
		content->is_stream = true;
		sse_read(a, reply, &content->stream);
		if (content->stream.fault != NULL)
			return fail(d, "stream", "server-sent events",
			    content->stream.fault);
	}
	return true;
}

static bool
check_transport(const struct reply *reply, struct difference *d)
{
	if (reply->failure != NULL)
		return fail(d, "reply", "(a reply)", reply->failure);
	if (reply->header_fault != NULL)
		return fail(d, "headers", "a well-formed header block",
		    reply->header_fault);
	return true;
}

bool
check_form(struct arena *a, const char *method, const struct reply *reply,
    struct content *content, struct difference *d)
{
	*content = (struct content){.json = NULL};
	return check_transport(reply, d) &&
	    check_body_form(a, method, reply, content, d);
}

/* ---- the expectation ---------------------------------------------------- */

/* The start of the body goes with a wrong status or type: it usually says
 * why. */
static const char *
with_body(struct arena *a, const char *got, const struct reply *reply)
{
	if (reply->body.len == 0)
		return got;
	return mem_printf(a, "%s  %s", got, shown_body(a, reply));
}

static bool
check_status(struct arena *a, const struct jv *expect,
    const struct reply *reply, struct difference *d)
{
	const struct jv *status = jv_get(expect, "status");
	size_t i;

	if (status == NULL)
		return true;
	if (status->kind == JV_NUMBER &&
	    strtol(status->text.data, NULL, 10) == reply->status)
		return true;
	for (i = 0; i < status->count; i++)
		if (strtol(status->items[i]->text.data, NULL, 10) ==
		    reply->status)
			return true;
	return fail(d, "status", jv_show(a, status, SHOWN),
	    with_body(a, mem_printf(a, "%d", reply->status), reply));
}

static bool
check_type(struct arena *a, const struct jv *expect,
    const struct reply *reply, struct difference *d)
{
	const struct jv *type = jv_get(expect, "type");
	const char *got = check_media_type(a, reply);

	if (type == NULL || strcmp(type->text.data, got) == 0)
		return true;
	return fail(d, "media type", type->text.data,
	    with_body(a, *got == '\0' ? "(none)" : got, reply));
}

static bool
check_headers(struct arena *a, const struct jv *expect,
    const struct reply *reply, struct difference *d)
{
	const struct jv *headers = jv_get(expect, "headers");
	struct span value;
	size_t i;

	for (i = 0; headers != NULL && i < headers->count; i++) {
		value = reply_header(a, reply, headers->names[i].data);
		if (!match(a, headers->items[i],
			value.data == NULL ? NULL : jv_string(a, value),
			mem_printf(a, "header %s", headers->names[i].data),
			d))
			return false;
	}
	return true;
}

static bool
check_body(struct arena *a, const struct jv *expect,
    const struct reply *reply, struct content *content,
    struct difference *d)
{
	const struct jv *m;
	struct relation_source source = {content->json, &content->stream};

	m = jv_get(expect, "json");
	if (m != NULL && content->json == NULL)
		return fail(d, "body", "a JSON body", shown_body(a, reply));
	if (m != NULL && !match(a, m, content->json, "body", d))
		return false;
	m = jv_get(expect, "text");
	if (m != NULL &&
	    !match(a, m, jv_string(a, reply->body), "body", d))
		return false;
	m = jv_get(expect, "sse");
	if (m != NULL && !content->is_stream)
		return fail(d, "body", "an event stream",
		    shown_body(a, reply));
	if (m != NULL && !sse_check(a, m, &content->stream, d))
		return false;
	m = jv_get(expect, "holds");
	return m == NULL || relation_check(a, m, &source, d);
}

bool
check_reply(struct arena *a, const struct jv *expect, const char *method,
    const struct reply *reply, struct content *content,
    struct difference *d)
{
	*content = (struct content){.json = NULL};
	return check_transport(reply, d) &&
	    check_status(a, expect, reply, d) &&
	    check_type(a, expect, reply, d) &&
	    check_headers(a, expect, reply, d) &&
	    check_body_form(a, method, reply, content, d) &&
	    check_body(a, expect, reply, content, d);
}

static const struct jv *
found_at(const struct content *content, struct span pointer)
{
	if (span_is(pointer, "$join"))
		return content->stream.joined;
	if (content->is_stream)
		return sse_last(&content->stream, pointer);
	return content->json == NULL ? NULL : jv_find(content->json, pointer);
}

const struct jv *
check_capture(struct arena *a, const struct content *content,
    struct span pointer)
{
	struct span rest = pointer, how = span_cut(&rest, ' ');
	const struct jv *value;
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	if (rest.data == NULL)
		return found_at(content, pointer);
	value = found_at(content, rest);
	if (value == NULL || value->kind != JV_STRING)
		return NULL;
	if (span_is(how, "trimmed"))
		return jv_string(a, span_trim(value->text));
	for (i = 0; i < value->text.len; i++)
		buf_addc(&b, text_upper(value->text.data[i]));
	return jv_string(a, mem_take(a, &b));
}

bool
check_is_capture(struct span pointer)
{
	struct span rest = pointer, how = span_cut(&rest, ' ');

	if (rest.data == NULL)
		rest = pointer;
	else if (!span_is(how, "trimmed") && !span_is(how, "upper"))
		return false;
	return span_starts(rest, "/") || span_is(rest, "$join");
}

/* ---- is it an expectation? ---------------------------------------------- */

static const char *
status_fault(const struct jv *status)
{
	int64_t number;
	size_t i;

	if (status->kind == JV_NUMBER)
		return text_to_int64(status->text, 100, 599, &number)
		    ? NULL
		    : "status is from 100 to 599";
	if (status->kind != JV_ARRAY || status->count == 0)
		return "status is a number or a list of numbers";
	for (i = 0; i < status->count; i++)
		if (status->items[i]->kind != JV_NUMBER ||
		    !text_to_int64(status->items[i]->text, 100, 599,
			&number))
			return "status is a number or a list of numbers";
	return NULL;
}

static const char *
headers_fault(struct arena *a, const struct jv *headers,
    const struct jv **at)
{
	const char *why = NULL;
	size_t i;

	if (headers->kind != JV_OBJECT)
		return "headers needs an object";
	for (i = 0; i < headers->count && why == NULL; i++)
		why = matcher_fault(a, headers->items[i], at);
	return why;
}

static const char *
part_fault(struct arena *a, const char *name, const struct jv *part,
    const struct jv **at)
{
	if (strcmp(name, "status") == 0)
		return status_fault(part);
	if (strcmp(name, "type") == 0)
		return part->kind == JV_STRING ? NULL : "type is a string";
	if (strcmp(name, "headers") == 0)
		return headers_fault(a, part, at);
	if (strcmp(name, "json") == 0 || strcmp(name, "text") == 0)
		return matcher_fault(a, part, at);
	if (strcmp(name, "sse") == 0)
		return sse_fault(a, part, at);
	if (strcmp(name, "holds") == 0)
		return relation_fault(a, part, at);
	return mem_printf(a, "unknown key \"%s\" in expect", name);
}

const char *
check_fault(struct arena *a, const struct jv *expect, const struct jv **at)
{
	const char *why = NULL;
	size_t i;

	*at = expect;
	if (expect->kind != JV_OBJECT || expect->count == 0)
		return "expect needs an object that is not empty";
	for (i = 0; i < expect->count && why == NULL; i++) {
		*at = expect->items[i];
		why = part_fault(a, expect->names[i].data, expect->items[i],
		    at);
	}
	return why;
}
