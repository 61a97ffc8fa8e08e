/*
 * A step becomes a request: rows and variables are filled in, a change is
 * made, the profile supplies what most requests share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "casefile.h"
#include "match/check.h"
#include "match/mem.h"

static const char *
undefined_text(struct arena *a, struct span name)
{
	return mem_printf(a, "the variable {{%s}} is not defined",
	    name.data);
}

/* ---- headers and body --------------------------------------------------- */

static const char *
add_headers(struct arena *a, const struct jv *own, const struct jv *usual,
    bool has_body, struct wire_request *wire)
{
	size_t i, n = 0, max = (own == NULL ? 0 : own->count) +
	    (usual == NULL ? 0 : usual->count);
	struct header *out = mem_array(a, max, sizeof(*out));
	const struct jv *list, *value;
	int round;

	for (round = 0; round < 2; round++) {
		list = round == 0 ? usual : own;
		for (i = 0; list != NULL && i < list->count; i++) {
			value = list->items[i];
			if (value->kind == JV_NULL)
				continue;
			if (value->kind != JV_STRING ||
			    text_breaks_line(value->text))
				return mem_printf(a,
				    "the header %s is no line of text",
				    list->names[i].data);
			if (round == 0 &&
			    (jv_get_span(own, list->names[i]) != NULL ||
				(!has_body &&
				    span_is_nocase(list->names[i],
					"Content-Type"))))
				continue;
			out[n].name = list->names[i];
			out[n++].value = value->text;
		}
	}
	wire->headers = out;
	wire->header_count = n;
	return NULL;
}

static const char *
hex_body(struct arena *a, struct span hex, struct span *out)
{
	char *bytes = mem_new(a, hex.len / 2 + 1);
	size_t i, n = 0;
	int high = -1, digit;

	for (i = 0; i < hex.len; i++) {
		if (text_is_blank(hex.data[i]))
			continue;
		digit = text_hex_value(hex.data[i]);
		if (digit < 0)
			return "hex has digits and blanks only";
		if (high < 0) {
			high = digit;
		} else {
			bytes[n++] = (char)(high * 16 + digit);
			high = -1;
		}
	}
	*out = (struct span){bytes, n};
	return high < 0 ? NULL : "hex has half a byte";
}

static const char *
make_body(struct arena *a, const struct jv *request, struct span *out)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const struct jv *v = jv_get(request, "json");

	*out = SPAN_NONE;
	if (v != NULL) {
		jv_write(&b, v);
		*out = mem_take(a, &b);
		return NULL;
	}
	v = jv_get(request, "text");
	if (v != NULL && v->kind != JV_STRING)
		return "text must be a string";
	if (v != NULL)
		*out = v->text;
	v = jv_get(request, "hex");
	if (v != NULL && v->kind != JV_STRING)
		return "hex must be a string";
	return v == NULL ? NULL : hex_body(a, v->text, out);
}

/* Blanks behind the body, up to a length: for limits. */
static const char *
pad_body(struct arena *a, const struct jv *request, struct span *body)
{
	const struct jv *pad = jv_get(request, "pad");
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	int64_t len;

	if (pad == NULL)
		return NULL;
	if (pad->kind != JV_NUMBER ||
	    !text_to_int64(pad->text, 0, 64 << 20, &len))
		return "pad is a number of bytes, at most 64 MB";
	if (body->len > (size_t)len)
		return "the body is longer than pad";
	buf_add(&b, body->data, body->len);
	while (b.len < (size_t)len && buf_err(&b) == ERR_NONE)
		buf_addc(&b, ' ');
	*body = mem_take(a, &b);
	return NULL;
}

static const char *
make_wire(struct arena *a, const struct profile *profile,
    const struct vars *vars, const struct jv *request,
    struct wire_request *wire)
{
	const struct jv *method = jv_get(request, "method");
	const struct jv *path = jv_get(request, "path"), *usual;
	struct span undefined;
	const char *why;

	if (path == NULL)
		path = jv_cstring(a, profile->path);
	path = vars_fill(a, vars, path, &undefined);
	usual = vars_fill(a, vars, profile->headers, &undefined);
	if (path == NULL || usual == NULL)
		return undefined_text(a, undefined);
	if (path->kind != JV_STRING || !span_starts(path->text, "/") ||
	    text_breaks_line(path->text))
		return "a path begins with '/'";
	if (method != NULL && method->kind != JV_STRING)
		return "a method is a string";
	wire->path = path->text.data;
	wire->method = method == NULL ? profile->method : method->text.data;
	why = make_body(a, request, &wire->body);
	if (why == NULL)
		why = pad_body(a, request, &wire->body);
	return why != NULL ? why
			   : add_headers(a, jv_get(request, "headers"),
				 usual, wire->body.data != NULL, wire);
}

/* ---- changes ------------------------------------------------------------ */

static const char *
make_change(struct arena *a, const struct jv *base, const struct jv *change,
    const struct jv **out)
{
	const struct jv *set = jv_get(change, "set");
	const struct jv *drop = jv_get(change, "drop");
	const struct jv *json = jv_get(base, "json");
	size_t i;

	if (set != NULL && set->kind != JV_OBJECT)
		return "\"set\" must be an object";
	for (i = 0; set != NULL && i < set->count && json != NULL; i++) {
		json = jv_with(a, json, set->names[i], set->items[i]);
		if (json == NULL)
			return mem_printf(a, "the base has no place %s",
			    set->names[i].data);
	}
	for (i = 0; drop != NULL && i < drop->count && json != NULL; i++) {
		json = jv_with(a, json, drop->items[i]->text, NULL);
		if (json == NULL)
			return mem_printf(a, "the base has nothing at %s",
			    drop->items[i]->text.data);
	}
	*out = jv_with(a, base, SPAN("/json"), json);
	return NULL;
}

/* ---- a step ------------------------------------------------------------- */

/* vars with the case's row, whose own variables are filled in first. */
static const char *
with_row(struct arena *a, const struct vars *vars,
    const struct testcase *test, struct vars *out)
{
	struct span undefined;

	*out = *vars;
	if (test->row == NULL)
		return NULL;
	out->layers[VARS_ROW] = vars_fill(a, vars, test->row, &undefined);
	return out->layers[VARS_ROW] == NULL ? undefined_text(a, undefined)
					     : NULL;
}

static const char *
prepare_request(struct arena *a, const struct vars *vars,
    const struct testcase *test, const struct case_step *step,
    const struct jv **out)
{
	const struct jv *change, *base;
	struct span undefined;

	if (step->change == NULL) {
		*out = vars_fill(a, vars, step->request, &undefined);
		return *out == NULL ? undefined_text(a, undefined) : NULL;
	}
	change = vars_fill(a, vars, step->change, &undefined);
	base = change == NULL
	    ? NULL
	    : vars_fill(a, vars, test->suite->base, &undefined);
	if (base == NULL)
		return undefined_text(a, undefined);
	return make_change(a, base, change, out);
}

const char *
step_prepare(struct arena *a, const struct profile *profile,
    const struct vars *vars, const struct testcase *test, size_t step,
    struct prepared *out)
{
	const struct case_step *s = &test->steps[step];
	struct vars all;
	struct span undefined;
	const char *why;

	*out = (struct prepared){.sample = NULL};
	why = with_row(a, vars, test, &all);
	if (why == NULL)
		why = prepare_request(a, &all, test, s, &out->request);
	if (why != NULL)
		return why;
	out->expect = vars_fill(a, &all, s->expect, &undefined);
	if (out->expect == NULL)
		return undefined_text(a, undefined);
	out->expect = profile_translate(a, profile, out->expect);
	if (s->sample != NULL) {
		out->sample = vars_fill(a, &all, s->sample, &undefined);
		if (out->sample == NULL)
			return undefined_text(a, undefined);
	}
	return make_wire(a, profile, &all, out->request, &out->wire);
}

const char *
control_prepare(struct arena *a, const struct profile *profile,
    const struct vars *vars, const struct suite *suite,
    struct wire_request *out)
{
	struct span undefined;
	const struct jv *base = vars_fill(a, vars, suite->base, &undefined);

	if (base == NULL)
		return undefined_text(a, undefined);
	return make_wire(a, profile, vars, base, out);
}

const char *
testcase_title(struct arena *a, const struct vars *vars,
    const struct testcase *test)
{
	struct vars all;
	struct span undefined;
	const struct jv *title = NULL;

	if (with_row(a, vars, test, &all) == NULL)
		title = vars_fill(a, &all, jv_cstring(a, test->title),
		    &undefined);
	if (title == NULL)
		return test->title;
	return title->kind == JV_STRING ? title->text.data
					: jv_show(a, title, 200);
}

/* ---- checking before anything is sent ----------------------------------- */

static bool
complain(const struct testcase *test, unsigned line, const char *why)
{
	fprintf(stderr, "%s:%u: %s: %s\n", test->suite->file, line,
	    test->name, why);
	return false;
}

static bool
check_features(const struct profile *profile, const struct testcase *test)
{
	const struct jv *list = test->requires;
	bool good = true;
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++)
		if (jv_get_span(profile->features, list->items[i]->text) ==
		    NULL) {
			fprintf(stderr,
			    "%s:%u: %s: the profile %s has no feature %s\n",
			    test->suite->file, test->line, test->name,
			    profile->name, list->items[i]->text.data);
			good = false;
		}
	return good;
}

void
step_pretend(struct arena *a, struct vars *vars, const struct case_step *step)
{
	const struct jv *captured = vars->layers[VARS_CAPTURED];
	size_t i;

	if (captured == NULL)
		captured = jv_object(a, NULL, NULL, 0);
	for (i = 0; step->capture != NULL && i < step->capture->count; i++)
		captured = jv_append(a, captured,
		    step->capture->names[i].data,
		    jv_cstring(a, "captured"));
	vars->layers[VARS_CAPTURED] = captured;
}

bool
casebook_check(const struct profile *profile, const struct vars *vars,
    const struct testcase *test)
{
	struct arena a;
	struct vars all = *vars;
	struct prepared prepared;
	struct wire_request control;
	const struct jv *at;
	const char *why;
	bool good = check_features(profile, test);
	size_t i;

	arena_init(&a, MEM_ARENA_MAX);
	for (i = 0; i < test->step_count; i++) {
		at = NULL;
		why = step_prepare(&a, profile, &all, test, i, &prepared);
		if (why == NULL)
			why = check_fault(&a, prepared.expect, &at);
		if (why == NULL && test->steps[i].change != NULL)
			why = control_prepare(&a, profile, &all,
			    test->suite, &control);
		if (why != NULL)
			good = complain(test,
			    at != NULL && at->line != 0 ? at->line
							: test->line,
			    why);
		step_pretend(&a, &all, &test->steps[i]);
	}
	arena_release(&a);
	return good;
}
