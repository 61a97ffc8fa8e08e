/* See preflight.h. */
#include "preflight.h"

#include <stdlib.h>
#include <string.h>

#include "match/check.h"
#include "match/mem.h"
#include "match/shown.h"

#define SHOWN 160

struct flying {
	struct arena *arena;
	const struct run *run;
	struct connection connection;
	struct preflight *out;
};

static const struct jv *
filled(struct flying *f, const struct jv *tree)
{
	struct span undefined;
	const struct jv *out = vars_fill(f->arena, &f->run->vars, tree,
	    &undefined);

	return out == NULL ? tree : out;
}

/* false when the request cannot be made with these variables. */
static bool
send_one(struct flying *f, const struct jv *request,
    struct wire_request *wire, struct reply *reply)
{
	struct suite suite = {.base = request};

	*wire = (struct wire_request){.method = NULL};
	if (control_prepare(f->arena, f->run->profile, &f->run->vars, &suite,
		wire) != NULL)
		return false;
	connection_send(f->arena, &f->connection, wire, reply);
	f->out->requests++;
	return true;
}

/* The same request at another path. */
static bool
send_elsewhere(struct flying *f, const struct jv *request,
    const struct jv *path, struct reply *reply)
{
	struct wire_request wire;

	return send_one(f,
	    jv_with(f->arena, request, SPAN("/path"), path), &wire, reply);
}

/* Is it how the server answers where nothing is? */
static bool
is_like_unknown(struct flying *f, const struct jv *request,
    const struct wire_request *wire, const struct reply *reply)
{
	struct reply other;
	const struct jv *path;

	path = jv_cstring(f->arena,
	    mem_printf(f->arena, "%s-no-such-path", wire->path));
	return send_elsewhere(f, request, path, &other) &&
	    other.status == reply->status &&
	    strcmp(check_media_type(f->arena, &other),
		check_media_type(f->arena, reply)) == 0 &&
	    (other.body.len == reply->body.len ||
		memmem(reply->body.data, reply->body.len, wire->path,
		    strlen(wire->path)) != NULL);
}

static bool
has_status(const struct jv *status, int number)
{
	size_t i;

	if (status == NULL)
		return number >= 400;
	if (status->kind == JV_NUMBER)
		return strtol(status->text.data, NULL, 10) == number;
	for (i = 0; i < status->count; i++)
		if (strtol(status->items[i]->text.data, NULL, 10) == number)
			return true;
	return false;
}

static bool
fits(struct flying *f, const struct jv *fault, const struct jv *request,
    const struct wire_request *wire, const struct reply *reply)
{
	const struct jv *json = jv_get(fault, "json");
	struct difference ignored;
	struct content content;

	if (!has_status(jv_get(fault, "status"), reply->status))
		return false;
	if (json != NULL &&
	    (!check_form(f->arena, wire->method, reply, &content, &ignored) ||
		!match(f->arena, filled(f, json), content.json, "",
		    &ignored)))
		return false;
	return jv_get(fault, "like_unknown") == NULL ||
	    is_like_unknown(f, request, wire, reply);
}

/* The remedy of the first other path that has the endpoint. */
static const char *
found_elsewhere(struct flying *f, const struct jv *fault,
    const struct jv *request)
{
	const struct jv *list = jv_get(fault, "try");
	struct reply reply;
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++)
		if (send_elsewhere(f, request,
			filled(f, jv_get(list->items[i], "path")), &reply) &&
		    reply.status != 0 && reply.status != 404 &&
		    reply.status != 405 && reply.status < 500)
			return jv_text(filled(f,
			    jv_get(list->items[i], "remedy")));
	return NULL;
}

static void
judge(struct flying *f, const struct jv *check,
    const struct wire_request *wire, const struct reply *reply)
{
	const struct jv *faults = jv_get(check, "faults"), *fault;
	const struct jv *request = jv_get(check, "request");
	struct span body = reply->body;
	size_t i;

	for (i = 0; i < faults->count; i++) {
		fault = faults->items[i];
		if (!fits(f, fault, request, wire, reply))
			continue;
		if (body.len > SHOWN)
			body.len = SHOWN;
		f->out->says = mem_printf(f->arena, "%s  (%s %s: %d  %s%s)",
		    jv_text(filled(f, jv_get(fault, "says"))), wire->method,
		    wire->path, reply->status,
		    shown_text(f->arena, body, SHOWN_ONE_LINE),
		    body.len < reply->body.len ? "..." : "");
		f->out->remedy = found_elsewhere(f, fault, request);
		if (f->out->remedy == NULL)
			f->out->remedy = jv_text(filled(f,
			    jv_get(fault, "remedy")));
		return;
	}
}

static void
note_buffering(struct flying *f, const struct reply *reply)
{
	struct sse_stream stream;
	const char *why;

	if (strcmp(check_media_type(f->arena, reply), "text/event-stream") !=
	    0)
		return;
	sse_read(f->arena, reply, &stream);
	if (sse_live(f->arena, &stream, &why) == SSE_LIVE_NO)
		f->out->notice = mem_printf(f->arena,
		    "streams are held back: %s; the web server in front must "
		    "not buffer or compress them", why);
}

static bool
is_off(const struct run *run, const struct jv *check)
{
	const struct jv *list = jv_get(check, "requires"), *feature;
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++) {
		feature = jv_get_span(run->profile->features,
		    list->items[i]->text);
		if (feature == NULL || !feature->truth)
			return true;
	}
	return false;
}

static void
fly(struct flying *f, const struct jv *check)
{
	struct wire_request wire;
	struct reply reply;

	if (is_off(f->run, check) ||
	    !send_one(f, jv_get(check, "request"), &wire, &reply))
		return;
	if (reply.unreachable) {
		f->out->unreachable = reply.failure;
	} else if (reply.failure != NULL) {
		f->out->says = mem_printf(f->arena,
		    "no reply to a plain question: %s  (%s %s)",
		    shown_text(f->arena, span_of(reply.failure),
			SHOWN_ONE_LINE),
		    wire.method, wire.path);
		f->out->remedy = "look into the server's log; for a slow "
				 "model give -t SECONDS";
	} else {
		judge(f, check, &wire, &reply);
		note_buffering(f, &reply);
	}
}

void
preflight_run(struct arena *a, const struct run *run, struct preflight *out)
{
	const struct jv *list = run->profile->preflight;
	struct flying f = {a, run, {NULL, NULL}, out};
	size_t i;

	*out = (struct preflight){.requests = 0};
	if (list == NULL)
		return;
	connection_open(&f.connection, run->target);
	for (i = 0; i < list->count && out->says == NULL &&
	     out->unreachable == NULL;
	     i++)
		fly(&f, list->items[i]);
	connection_close(&f.connection);
}

/* ---- is it one? --------------------------------------------------------- */

static const char *
keys_fault(struct arena *a, const struct jv *object,
    const char *const *keys)
{
	size_t i, j;

	for (i = 0; i < object->count; i++) {
		for (j = 0; keys[j] != NULL; j++)
			if (span_is(object->names[i], keys[j]))
				break;
		if (keys[j] == NULL)
			return mem_printf(a, "unknown key \"%s\" in preflight",
			    object->names[i].data);
	}
	return NULL;
}

static const char *
fault_fault(struct arena *a, const struct jv *fault)
{
	static const char *const keys[] = {"status", "json", "like_unknown",
	    "try", "says", "remedy", NULL};
	const struct jv *others = jv_get(fault, "try"), *ignored;
	size_t i;

	if (fault->kind != JV_OBJECT ||
	    jv_text(jv_get(fault, "says")) == NULL ||
	    jv_text(jv_get(fault, "remedy")) == NULL)
		return "a fault of a preflight needs \"says\" and \"remedy\"";
	for (i = 0; others != NULL && i < others->count; i++)
		if (jv_text(jv_get(others->items[i], "path")) == NULL ||
		    jv_text(jv_get(others->items[i], "remedy")) == NULL)
			return "\"try\" needs \"path\" and \"remedy\"";
	if (jv_get(fault, "json") != NULL &&
	    matcher_fault(a, jv_get(fault, "json"), &ignored) != NULL)
		return "\"json\" must be a matcher";
	return keys_fault(a, fault, keys);
}

const char *
preflight_fault(struct arena *a, const struct jv *list, const struct jv **at)
{
	static const char *const keys[] = {"request", "requires", "faults",
	    NULL};
	const struct jv *check, *faults;
	const char *why;
	size_t i, j;

	for (i = 0; i < list->count; i++) {
		*at = check = list->items[i];
		faults = jv_get(check, "faults");
		if (jv_get(check, "request") == NULL || faults == NULL ||
		    faults->kind != JV_ARRAY)
			return "a preflight needs \"request\" and \"faults\"";
		why = keys_fault(a, check, keys);
		for (j = 0; why == NULL && j < faults->count; j++) {
			*at = faults->items[j];
			why = fault_fault(a, faults->items[j]);
		}
		if (why != NULL)
			return why;
	}
	return NULL;
}
