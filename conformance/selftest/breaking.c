/*
 * A sample is JSON, so breaking it is a change at a JSON Pointer.  The wrong
 * values stand in a table here, one row a matcher, written down by hand:
 * values computed with the matchers would excuse the matchers' own faults.
 * What only shows in the bytes (a mark, a lost line end) is done while the
 * sample is turned into a reply.
 */
#include "breaking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/check.h"
#include "match/matcher.h"
#include "match/mem.h"

/* ---- the table of wrong values ------------------------------------------ */

struct wrong_row {
	const char *word;
	const char *values; /* a JSON array */
};

static const struct wrong_row wrong_rows[] = {
    {"$any", "[]"},
    {"$absent", "[\"chatconf\",null,0]"},
    {"$string", "[null,17,true,[],{}]"},
    {"$text", "[null,17,true,[],{},\"\",\" \",\"\\n\\t \"]"},
    {"$int", "[null,\"5\",5.5,true,[],{}]"},
    {"$number", "[null,\"5\",true,[],{}]"},
    {"$bool", "[null,0,1,\"true\",[],{}]"},
    {"$object", "[null,17,true,\"x\",[]]"},
    {"$array", "[null,17,true,\"x\",{}]"},
    {"$uuid", "[null,17,\"\",\"5d1d8b1e53c04a378f0a6a0f6f3c2b77\","
	      "\"5d1d8b1e-53c0-4a37-8f0a-6a0f6f3c2b7g\","
	      "\"x5d1d8b1e-53c0-4a37-8f0a-6a0f6f3c2b77\"]"},
    {"$decimal", "[null,0.001,17,\"\",\"abc\",\"1E-7\",\".5\",\"5.\","
		 "\"1,5\",\"-\",\"1.2.3\"]"},
    {"$epoch", "[null,\"1705407629\",1705407629000,1705407629.5,0,"
	       "-705407629]"},
    {"$re", "[null,17,true,[],\"\\u0001chatconf\"]"},
    {"null", "[\"null\",0,false,{},\"\"]"},
    {"true", "[false,null,\"true\",1]"},
    {"false", "[true,null,\"false\",0]"},
    {"number", "[null,true,987654321,987654321.5,-987654321,\"7\"]"},
    {"string", "[null,17,true,[],{},\"chatconf other value\"]"},
    {"array", "[null,17,true,\"x\",{}]"},
    {"object", "[null,17,true,\"x\",[]]"},
    {"$in", "[null,true,false,-987654321.5,-987654321,\"\\u0001chatconf\","
	    "[\"chatconf\"],{\"chatconf\":1}]"},
};

void
selftest_error(struct testing *t, const char *what, const char *detail)
{
	fprintf(stderr, "%s:%u: %s", t->test->suite->file,
	    t->test->steps[t->step].line, t->test->name);
	if (t->test->step_count > 1)
		fprintf(stderr, " (step %zu)", t->step + 1);
	fprintf(stderr, ": %s%s%s\n", what, *detail == '\0' ? "" : ": ",
	    detail);
	t->score->errors++;
}

/* ---- from a sample to a reply ------------------------------------------- */

static void
add_payload(struct buf *out, const struct jv *payload)
{
	buf_adds(out, "data: ");
	if (payload->kind == JV_STRING)
		buf_add(out, payload->text.data, payload->text.len);
	else
		jv_write(out, payload);
	buf_adds(out, "\n\n");
}

static void
spoil(struct buf *body, enum damage damage)
{
	switch (damage) {
	case DAMAGE_CUT:
		if (body->len > 0)
			buf_truncate(body, body->len - 1);
		break;
	case DAMAGE_MORE:
		buf_adds(body, "x");
		break;
	case DAMAGE_NOT_UTF8:
		buf_adds(body, "\xff");
		break;
	case DAMAGE_EMPTY:
		buf_truncate(body, 0);
		break;
	case DAMAGE_LINE:
		buf_adds(body, "chatconf\n\n");
		break;
	case DAMAGE_NUL:
		buf_add(body, ": \0\n\n", 5);
		break;
	default:
		break;
	}
}

static struct span
sample_body(struct testing *t, const struct jv *sample, enum damage damage)
{
	const struct jv *json = jv_get(sample, "json");
	const struct jv *text = jv_get(sample, "text");
	const struct jv *data = jv_get(sample, "data");
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	if (damage == DAMAGE_MARK)
		buf_adds(&b, "\xEF\xBB\xBF");
	if (json != NULL)
		jv_write(&b, json);
	if (text != NULL)
		buf_add(&b, text->text.data, text->text.len);
	for (i = 0; data != NULL && i < data->count; i++) {
		add_payload(&b, data->items[i]);
		if (damage == DAMAGE_PING && i == 0)
			buf_printf(&b, "event: %s\n\n", t->ping);
	}
	spoil(&b, damage);
	return mem_take(&t->arena, &b);
}

static void
make_reply(struct testing *t, const struct jv *sample, enum damage damage,
    struct reply *reply)
{
	struct arena *a = &t->arena;
	const struct jv *status = jv_get(sample, "status");
	const struct jv *headers = jv_get(sample, "headers");
	const char *type = jv_text(jv_get(sample, "type"));
	size_t i;

	*reply = (struct reply){.status = 200};
	if (status != NULL)
		reply->status = (int)strtol(status->text.data, NULL, 10);
	if (type != NULL)
		reply_add_header(a, reply,
		    span_of(mem_printf(a, "Content-Type: %s", type)));
	for (i = 0; headers != NULL && i < headers->count; i++)
		if (headers->items[i]->kind == JV_STRING)
			reply_add_header(a, reply,
			    span_of(mem_printf(a, "%s: %s",
				headers->names[i].data,
				headers->items[i]->text.data)));
	if (damage == DAMAGE_HEADER)
		reply_add_header(a, reply, SPAN("chatconf"));
	reply->body = sample_body(t, sample, damage);
}

bool
selftest_read(struct testing *t, const struct jv *sample, enum damage damage,
    struct content *content, struct difference *d)
{
	struct reply reply;

	make_reply(t, sample, damage, &reply);
	return check_reply(&t->arena, t->p->expect, t->p->wire.method,
	    &reply, content, d);
}

bool
selftest_accepts(struct testing *t, const struct jv *sample,
    enum damage damage)
{
	struct difference ignored;
	struct content content;

	return selftest_read(t, sample, damage, &content, &ignored);
}

/* ---- breaking ----------------------------------------------------------- */

void
selftest_refuse(struct testing *t, const struct jv *sample, enum damage damage,
    const char *what, const char *detail)
{
	t->score->breaks++;
	if (sample == NULL) {
		selftest_error(t, "the sample cannot be broken", what);
	} else if (selftest_accepts(t, sample, damage)) {
		t->score->accepted++;
		selftest_error(t,
		    mem_printf(&t->arena, "not noticed: %s", what), detail);
	}
}

/* The sample with value at path (NULL: removed) must be refused. */
void
selftest_break_at(struct testing *t, const struct jv *sample, const char *path,
    const struct jv *value)
{
	selftest_refuse(t, jv_with(&t->arena, sample, span_of(path), value),
	    DAMAGE_NONE,
	    mem_printf(&t->arena, "%s %s", path,
		value == NULL ? "removed" : "is"),
	    value == NULL ? "" : jv_show(&t->arena, value, 80));
}

static const struct jv *
wrong_values(struct testing *t, const char *word)
{
	struct jv_error unused;
	size_t i;

	for (i = 0; i < sizeof(wrong_rows) / sizeof(*wrong_rows); i++)
		if (strcmp(wrong_rows[i].word, word) == 0)
			return jv_parse(&t->arena,
			    span_of(wrong_rows[i].values), true, &unused);
	selftest_error(t, "no wrong values are known for", word);
	return jv_array(&t->arena, NULL, 0);
}

static void
break_with_row(struct testing *t, const struct jv *sample, const char *path,
    const char *word)
{
	const struct jv *list = wrong_values(t, word);
	size_t i;

	for (i = 0; i < list->count; i++)
		selftest_break_at(t, sample, path, list->items[i]);
}

/* ---- plain values ------------------------------------------------------- */

static void
break_string(struct testing *t, const struct jv *sample, const struct jv *m,
    const char *path)
{
	struct span text = m->text;

	if (!m->literal && span_starts(text, "$") &&
	    !span_starts(text, "$$")) {
		break_with_row(t, sample, path, text.data);
		return;
	}
	if (!m->literal && span_starts(text, "$$"))
		text = (struct span){text.data + 1, text.len - 1};
	break_with_row(t, sample, path, "string");
	selftest_break_at(t, sample, path,
	    jv_cstring(&t->arena,
		mem_printf(&t->arena, "%sx", text.data)));
	if (text.len > 0)
		selftest_break_at(t, sample, path,
		    jv_string(&t->arena,
			(struct span){text.data, text.len - 1}));
}

static void
break_number(struct testing *t, const struct jv *sample, const struct jv *m,
    const char *path)
{
	break_with_row(t, sample, path, "number");
	selftest_break_at(t, sample, path, jv_string(&t->arena, m->text));
	selftest_break_at(t, sample, path,
	    jv_number(&t->arena,
		mem_printf(&t->arena, "%s1",
		    strcmp(m->text.data, "0") == 0 ? "" : m->text.data)));
}

/* ---- objects and arrays ------------------------------------------------- */

const char *
breaking_path(struct testing *t, const char *path, struct span name)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);

	buf_adds(&b, path);
	jv_pointer_part(&b, name);
	return mem_take(&t->arena, &b).data;
}

/* May it be absent? */
static bool
is_optional(const struct jv *m)
{
	const struct jv *list;
	size_t i;

	if (matcher_is_word(m, "$absent"))
		return true;
	if (matcher_operator(m, &list) == NULL ||
	    !span_is(m->names[0], "$in"))
		return false;
	for (i = 0; i < list->count; i++)
		if (is_optional(list->items[i]))
			return true;
	return false;
}

static void
break_members(struct testing *t, const struct jv *sample,
    const struct jv *m, const char *path, bool only)
{
	const char *below;
	size_t i;

	break_with_row(t, sample, path, "object");
	for (i = 0; i < m->count; i++) {
		below = breaking_path(t, path, m->names[i]);
		if (!is_optional(m->items[i]) ||
		    jv_find(sample, span_of(below)) != NULL ||
		    matcher_is_word(m->items[i], "$absent"))
			selftest_break(t, sample, m->items[i], below);
		if (!is_optional(m->items[i]))
			selftest_break_at(t, sample, below, NULL);
	}
	if (only)
		selftest_break_at(t, sample,
		    breaking_path(t, path, SPAN("chatconf-extra")),
		    jv_cstring(&t->arena, "x"));
}

static void
break_length(struct testing *t, const struct jv *sample, const char *path)
{
	const struct jv *array = jv_find(sample, span_of(path));

	if (array == NULL || array->kind != JV_ARRAY)
		return;
	selftest_break_at(t, sample, mem_printf(&t->arena, "%s/-", path),
	    array->count > 0 ? array->items[0]
			     : jv_cstring(&t->arena, "x"));
	if (array->count > 0)
		selftest_break_at(t, sample,
		    mem_printf(&t->arena, "%s/%zu", path, array->count - 1),
		    NULL);
}

static bool
is_plain(const struct jv *m)
{
	size_t i;
	const struct jv *operand;

	if (matcher_operator(m, &operand) != NULL)
		return false;
	if (m->kind == JV_STRING)
		return m->literal || !span_starts(m->text, "$");
	for (i = 0; i < m->count; i++)
		if (!is_plain(m->items[i]))
			return false;
	return true;
}

/* Two neighbours that are plain and differ change places. */
static void
break_order(struct testing *t, const struct jv *sample, const struct jv *m,
    const char *path)
{
	const struct jv *array = jv_find(sample, span_of(path)), *swapped;
	size_t i;

	for (i = 0; array != NULL && i + 1 < m->count && i + 1 < array->count;
	     i++) {
		if (!is_plain(m->items[i]) || !is_plain(m->items[i + 1]) ||
		    jv_equal(array->items[i], array->items[i + 1]))
			continue;
		swapped = jv_replace(&t->arena, array, i,
		    array->items[i + 1]);
		swapped = jv_replace(&t->arena, swapped, i + 1,
		    array->items[i]);
		selftest_break_at(t, sample, path, swapped);
	}
}

static void
break_items(struct testing *t, const struct jv *sample, const struct jv *m,
    const char *path, bool ordered)
{
	size_t i;

	break_with_row(t, sample, path, "array");
	break_length(t, sample, path);
	if (ordered)
		break_order(t, sample, m, path);
	for (i = 0; i < m->count; i++)
		selftest_break(t, sample, m->items[i],
		    mem_printf(&t->arena, "%s/%zu", path, i));
}

static void
break_each(struct testing *t, const struct jv *sample, const struct jv *inner,
    const char *path, bool every)
{
	const struct jv *array = jv_find(sample, span_of(path)), *alone;
	struct difference ignored;
	const struct jv **one;
	size_t i;

	break_with_row(t, sample, path, "array");
	selftest_break_at(t, sample, path, jv_array(&t->arena, NULL, 0));
	for (i = 0; array != NULL && i < array->count; i++) {
		if (every) {
			selftest_break(t, sample, inner,
			    mem_printf(&t->arena, "%s/%zu", path, i));
			continue;
		}
		if (!match(&t->arena, inner, array->items[i], "", &ignored))
			continue;
		/* Alone, so that no other element can stand in for it. */
		one = mem_array(&t->arena, 1, sizeof(*one));
		one[0] = array->items[i];
		alone = jv_with(&t->arena, sample, span_of(path),
		    jv_array(&t->arena, one, 1));
		selftest_break(t, alone, inner,
		    mem_printf(&t->arena, "%s/0", path));
		return;
	}
}

bool
breaking_admits(const struct jv *m, const struct jv *wrong)
{
	static const char *const strings[] = {"$string", "$text", NULL};
	const struct jv *operand;
	size_t i;

	if (matcher_operator(m, &operand) != NULL) {
		if (span_is(m->names[0], "$in")) {
			for (i = 0; i < operand->count; i++)
				if (breaking_admits(operand->items[i], wrong))
					return true;
			return false;
		}
		if (span_is(m->names[0], "$each") ||
		    span_is(m->names[0], "$has"))
			return wrong->kind == JV_ARRAY && wrong->count > 0 &&
			    breaking_admits(operand, wrong->items[0]);
		return false;
	}
	if (m->kind == JV_OBJECT)
		return m->count == 0 && wrong->kind == JV_OBJECT;
	if (m->kind != JV_STRING || m->literal)
		return m->kind == wrong->kind &&
		    (m->kind == JV_NULL ||
			(m->kind == JV_BOOL && m->truth == wrong->truth));
	if (span_is(m->text, "$any"))
		return true;
	for (i = 0; strings[i] != NULL; i++)
		if (span_is(m->text, strings[i]))
			return wrong->kind == JV_STRING;
	if (span_is(m->text, "$bool"))
		return wrong->kind == JV_BOOL;
	if (span_is(m->text, "$object"))
		return wrong->kind == JV_OBJECT;
	if (span_is(m->text, "$array"))
		return wrong->kind == JV_ARRAY;
	if (span_is(m->text, "$number"))
		return wrong->kind == JV_NUMBER;
	return span_is(m->text, "$int") && jv_is_int(wrong);
}

static void
break_in(struct testing *t, const struct jv *sample, const struct jv *m,
    const struct jv *list, const char *path)
{
	const struct jv *wrong = wrong_values(t, "$in");
	const struct jv *value = jv_find(sample, span_of(path));
	struct difference ignored;
	size_t i;

	for (i = 0; i < wrong->count; i++)
		if (!breaking_admits(m, wrong->items[i]))
			selftest_break_at(t, sample, path, wrong->items[i]);
	/* The parts of the alternative that the sample took. */
	for (i = 0; i < list->count; i++)
		if (value != NULL && value->kind == JV_OBJECT &&
		    list->items[i]->kind == JV_OBJECT &&
		    match(&t->arena, list->items[i], value, "", &ignored)) {
			selftest_break(t, sample, list->items[i], path);
			return;
		}
}

static void
break_operator(struct testing *t, const struct jv *sample,
    const struct jv *m, const struct jv *operand, const char *path)
{
	struct span op = m->names[0];

	if (span_is(op, "$only"))
		break_members(t, sample, operand, path, true);
	else if (span_is(op, "$bag"))
		break_items(t, sample, operand, path, false);
	else if (span_is(op, "$in"))
		break_in(t, sample, m, operand, path);
	else if (span_is(op, "$re"))
		break_with_row(t, sample, path, "$re");
	else
		break_each(t, sample, operand, path, span_is(op, "$each"));
}

void
selftest_break(struct testing *t, const struct jv *sample, const struct jv *m,
    const char *path)
{
	const struct jv *operand;

	if (matcher_operator(m, &operand) != NULL) {
		break_operator(t, sample, m, operand, path);
		return;
	}
	switch (m->kind) {
	case JV_NULL:
		break_with_row(t, sample, path, "null");
		break;
	case JV_BOOL:
		break_with_row(t, sample, path, m->truth ? "true" : "false");
		break;
	case JV_NUMBER:
		break_number(t, sample, m, path);
		break;
	case JV_STRING:
		break_string(t, sample, m, path);
		break;
	case JV_ARRAY:
		break_items(t, sample, m, path, true);
		break;
	case JV_OBJECT:
		break_members(t, sample, m, path, m->literal);
	}
}
