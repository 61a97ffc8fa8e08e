/*
 * Breaking streams: pieces lost, repeated, changed places, added after the
 * end; and breaking what must hold between values.
 */
#include "breaking_stream.h"

#include <stdlib.h>
#include <string.h>

#include "match/matcher.h"
#include "match/mem.h"
#include "match/sse.h"

/* ---- the sample's payloads ---------------------------------------------- */

static const struct jv *
payloads(const struct testing *t)
{
	return jv_get(t->p->sample, "data");
}

static bool
is_end(const struct jv *rules, const struct jv *payload)
{
	const struct jv *end = jv_get(rules, "end");

	return end != NULL && payload->kind == JV_STRING &&
	    span_equal(end->text, payload->text);
}

static struct span
payload_name(const struct jv *rules, const struct jv *payload)
{
	const struct jv *pointer = jv_get(rules, "name"), *name;

	if (pointer == NULL)
		return (struct span){"", 0};
	name = jv_find(payload, pointer->text);
	return name != NULL && name->kind == JV_STRING
	    ? name->text
	    : (struct span){"", 0};
}

static bool
is_ignored(const struct jv *rules, const struct jv *payload)
{
	const struct jv *list = jv_get(rules, "ignore");
	struct span name = payload_name(rules, payload);
	size_t i;

	for (i = 0; list != NULL && i < list->count; i++)
		if (span_equal(list->items[i]->text, name))
			return true;
	return false;
}

static void
refuse_list(struct testing *t, const struct jv *list, const char *what)
{
	selftest_refuse(t,
	    jv_with(&t->arena, t->p->sample, SPAN("/data"), list),
	    DAMAGE_NONE, what, "");
}

static const struct jv *
insert(struct testing *t, const struct jv *list, size_t at,
    const struct jv *value)
{
	const struct jv **items = mem_array(&t->arena, list->count + 1,
	    sizeof(*items));
	size_t i;

	for (i = 0; i <= list->count; i++)
		items[i] = i < at ? list->items[i]
		    : i == at	  ? value
				  : list->items[i - 1];
	return jv_array(&t->arena, items, list->count + 1);
}

/* ---- end, order, same, join --------------------------------------------- */

static void
break_end(struct testing *t, const struct jv *rules)
{
	const struct jv *list = payloads(t), *end = jv_get(rules, "end");
	size_t last = list->count - 1;

	if (end == NULL)
		return;
	refuse_list(t, jv_replace(&t->arena, list, last, NULL),
	    "the end mark removed");
	refuse_list(t, insert(t, list, list->count, end),
	    "the end mark repeated");
	refuse_list(t, insert(t, list, list->count, list->items[0]),
	    "a payload after the end mark");
	refuse_list(t,
	    jv_replace(&t->arena, list, last,
		jv_cstring(&t->arena,
		    mem_printf(&t->arena, "%sx", end->text.data))),
	    "another end mark");
	if (last > 0)
		refuse_list(t,
		    jv_replace(&t->arena,
			jv_replace(&t->arena, list, last,
			    list->items[last - 1]),
			last - 1, list->items[last]),
		    "the end mark before the last payload");
}

static const struct jv *
without_name(struct testing *t, const struct jv *rules, struct span name)
{
	const struct jv *list = payloads(t);
	size_t i;

	for (i = list->count; i > 0; i--)
		if (span_equal(payload_name(rules, list->items[i - 1]), name))
			list = jv_replace(&t->arena, list, i - 1, NULL);
	return list;
}

static void
break_single(struct testing *t, const struct jv *rules, struct span name)
{
	const struct jv *list = payloads(t);
	size_t i;

	for (i = 0; i < list->count; i++)
		if (span_equal(payload_name(rules, list->items[i]), name)) {
			refuse_list(t, insert(t, list, i, list->items[i]),
			    mem_printf(&t->arena, "a second %.*s",
				(int)name.len, name.data));
			return;
		}
}

static void
break_order(struct testing *t, const struct jv *rules)
{
	const struct jv *order = jv_get(rules, "order"), *list = payloads(t);
	const struct jv *pointer = jv_get(rules, "name"), *other;
	struct span name;
	char last;
	size_t i;

	for (i = 0; order != NULL && i < order->count; i++) {
		name = order->items[i]->text;
		last = name.len == 0 ? '\0' : name.data[name.len - 1];
		if (last == '?' || last == '*' || last == '+')
			name.len--;
		if (last != '?' && last != '*')
			refuse_list(t, without_name(t, rules, name),
			    mem_printf(&t->arena, "no %.*s", (int)name.len,
				name.data));
		if (last != '*' && last != '+')
			break_single(t, rules, name);
	}
	if (order == NULL || pointer == NULL || list->count == 0)
		return;
	other = jv_with(&t->arena, list->items[list->count - 1],
	    pointer->text, jv_cstring(&t->arena, "chatconf_other"));
	if (other != NULL)
		refuse_list(t, insert(t, list, list->count, other),
		    "an event of an unknown name at the end");
	if (!span_equal(payload_name(rules, list->items[0]),
		payload_name(rules, list->items[list->count - 1])))
		refuse_list(t,
		    jv_replace(&t->arena,
			jv_replace(&t->arena, list, 0,
			    list->items[list->count - 1]),
			list->count - 1, list->items[0]),
		    "first and last event exchanged");
}

static void
break_same(struct testing *t, const struct jv *rules)
{
	const struct jv *same = jv_get(rules, "same"), *list = payloads(t);
	const char *path;
	size_t i, last = list->count - 1;

	if (same == NULL)
		return;
	while (last > 0 && (is_end(rules, list->items[last]) ||
			       is_ignored(rules, list->items[last])))
		last--;
	if (last == 0)
		selftest_error(t, "the sample is too short to test \"same\"",
		    "");
	for (i = 0; last > 0 && i < same->count; i++) {
		path = mem_printf(&t->arena, "/data/%zu%s", last,
		    same->items[i]->text.data);
		selftest_break_at(t, t->p->sample, path, NULL);
		selftest_break_at(t, t->p->sample, path,
		    jv_cstring(&t->arena, "chatconf other value"));
	}
}

/* In the first payload that has all the pointers, the last one's value. */
static void
break_equal(struct testing *t, const struct jv *rules)
{
	const struct jv *equal = jv_get(rules, "equal"), *list = payloads(t);
	size_t i, j;

	for (i = 0; equal != NULL && i < list->count; i++) {
		for (j = 0; j < equal->count; j++)
			if (jv_find(list->items[i],
				equal->items[j]->text) == NULL)
				break;
		if (j < equal->count)
			continue;
		selftest_break_at(t, t->p->sample,
		    mem_printf(&t->arena, "/data/%zu%s", i,
			equal->items[j - 1]->text.data),
		    jv_cstring(&t->arena, "chatconf other value"));
		return;
	}
	if (equal != NULL)
		selftest_error(t, "no payload of the sample has them all",
		    "equal");
}

/* Every piece replaced by value. */
static const struct jv *
all_pieces(struct testing *t, struct span from, const struct jv *value)
{
	const struct jv *list = payloads(t), *changed;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (jv_find(list->items[i], from) == NULL)
			continue;
		changed = jv_with(&t->arena, list->items[i], from, value);
		list = jv_replace(&t->arena, list, i, changed);
	}
	return list;
}

/* Where the joined text is known, every single piece counts. */
static void
break_pieces(struct testing *t, struct span from)
{
	const struct jv *list = payloads(t), *piece, *next;
	size_t i;

	for (i = 0; i < list->count; i++) {
		piece = jv_find(list->items[i], from);
		if (piece == NULL || piece->kind != JV_STRING ||
		    piece->text.len == 0)
			continue;
		refuse_list(t, jv_replace(&t->arena, list, i, NULL),
		    "a piece lost");
		refuse_list(t, insert(t, list, i, list->items[i]),
		    "a piece repeated");
		next = i + 1 < list->count
		    ? jv_find(list->items[i + 1], from)
		    : NULL;
		if (next != NULL && !jv_equal(piece, next))
			refuse_list(t,
			    jv_replace(&t->arena,
				jv_replace(&t->arena, list, i,
				    list->items[i + 1]),
				i + 1, list->items[i]),
			    "two pieces exchanged");
	}
}

static void
break_join(struct testing *t, const struct jv *rules)
{
	const struct jv *join = jv_get(rules, "join"), *is, *list;
	struct span from;
	const struct jv *operand;
	size_t i;

	if (join == NULL)
		return;
	list = payloads(t);
	from = jv_get(join, "from")->text;
	is = jv_get(join, "is");
	for (i = 0; i < list->count; i++)
		if (jv_find(list->items[i], from) != NULL)
			selftest_break_at(t, t->p->sample,
			    mem_printf(&t->arena, "/data/%zu%s", i,
				from.data),
			    jv_number(&t->arena, "17"));
	if (matcher_is_word(is, "$text"))
		refuse_list(t,
		    all_pieces(t, from, jv_cstring(&t->arena, "")),
		    "all pieces empty");
	else if (matcher_operator(is, &operand) != NULL)
		refuse_list(t,
		    all_pieces(t, from,
			jv_cstring(&t->arena, "\001chatconf")),
		    "all pieces other text");
	else
		break_pieces(t, from);
}

/* ---- the whole of sse --------------------------------------------------- */

static void
break_payloads(struct testing *t, const struct jv *rules)
{
	const struct jv *list = payloads(t), *each = jv_get(rules, "each");
	const struct jv *at = jv_get(rules, "at"), *m;
	const char *path;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (is_end(rules, list->items[i]) ||
		    is_ignored(rules, list->items[i]))
			continue;
		path = mem_printf(&t->arena, "/data/%zu", i);
		selftest_break_at(t, t->p->sample, path,
		    jv_cstring(&t->arena, "{\"chatconf\":"));
		if (each != NULL)
			selftest_break(t, t->p->sample, each, path);
		m = at == NULL ? NULL
			       : jv_get_span(at,
				     payload_name(rules, list->items[i]));
		if (m != NULL)
			selftest_break(t, t->p->sample, m, path);
	}
}

void
selftest_break_stream(struct testing *t)
{
	const struct jv *rules = jv_get(t->p->expect, "sse");
	const struct jv *ignore = jv_get(rules, "ignore");
	size_t i;

	if (rules == NULL)
		return;
	if (payloads(t) == NULL || payloads(t)->count == 0) {
		selftest_error(t, "a stream's sample needs \"data\"", "");
		return;
	}
	break_payloads(t, rules);
	break_end(t, rules);
	break_order(t, rules);
	break_same(t, rules);
	break_equal(t, rules);
	break_join(t, rules);
	for (i = 0; ignore != NULL && i < ignore->count; i++) {
		t->ping = ignore->items[i]->text.data;
		if (!selftest_accepts(t, t->p->sample, DAMAGE_PING))
			selftest_error(t, "an ignored event is refused",
			    t->ping);
	}
}

/* ---- holds -------------------------------------------------------------- */

/* The path in the sample of the value a relation's pointer means. */
static const char *
holds_path(struct testing *t, const struct jv *pointer)
{
	const struct jv *list = payloads(t);
	size_t i;

	if (list == NULL)
		return mem_printf(&t->arena, "/json%s", pointer->text.data);
	for (i = list->count; i > 1; i--)
		if (jv_find(list->items[i - 1], pointer->text) != NULL)
			break;
	return mem_printf(&t->arena, "/data/%zu%s", i - 1,
	    pointer->text.data);
}

/* Another value of the same type: one more digit, one more letter. */
static const struct jv *
other_value(struct testing *t, const struct jv *value)
{
	char *text;

	if (value == NULL ||
	    (value->kind != JV_NUMBER && value->kind != JV_STRING))
		return jv_null(&t->arena);
	text = mem_printf(&t->arena, "%s1", value->text.data);
	return value->kind == JV_NUMBER ? jv_number(&t->arena, text)
					: jv_cstring(&t->arena, text);
}

static void
break_pointer(struct testing *t, const struct jv *pointer)
{
	const char *path = holds_path(t, pointer);

	selftest_break_at(t, t->p->sample, path,
	    other_value(t, jv_find(t->p->sample, span_of(path))));
	selftest_break_at(t, t->p->sample, path, jv_null(&t->arena));
}

/* A member of the first row. */
static void
break_row(struct testing *t, const char *path, const struct jv *pointer)
{
	const char *at = mem_printf(&t->arena, "%s/0%s", path,
	    pointer->text.data);

	selftest_break_at(t, t->p->sample, at,
	    other_value(t, jv_find(t->p->sample, span_of(at))));
}

static void
break_sequence(struct testing *t, const struct jv *relation)
{
	const char *path = holds_path(t, relation->items[0]);
	const struct jv *array = jv_find(t->p->sample, span_of(path));
	const struct jv *swapped, *list = jv_get(relation, "sum");
	size_t i;

	if (list != NULL) {
		for (i = 0; i < list->count; i++)
			break_row(t, path, list->items[i]);
		break_row(t, path, jv_get(relation, "is"));
		return;
	}
	if (span_is(relation->names[0], "total")) {
		break_row(t, path, jv_get(relation, "at"));
		break_pointer(t, jv_get(relation, "is"));
		return;
	}
	if (span_is(relation->names[0], "unique") && array != NULL &&
	    array->count > 0) {
		selftest_break_at(t, t->p->sample, path,
		    jv_append(&t->arena, array, NULL, array->items[0]));
		return;
	}

	if (array == NULL || array->count < 2) {
		selftest_error(t, "the sample is too short to test a sequence",
		    path);
		return;
	}
	swapped = jv_replace(&t->arena, array, 0, array->items[1]);
	swapped = jv_replace(&t->arena, swapped, 1, array->items[0]);
	selftest_break_at(t, t->p->sample, path, swapped);
	selftest_break_at(t, t->p->sample,
	    mem_printf(&t->arena, "%s/0%s", path,
		jv_get(relation, "at")->text.data),
	    jv_cstring(&t->arena, "chatconf"));
}

/* The higher one as low as the other, and each no number. */
static void
break_above(struct testing *t, const struct jv *pointers)
{
	const char *high = holds_path(t, pointers->items[0]);
	const char *low = holds_path(t, pointers->items[1]);

	selftest_break_at(t, t->p->sample, high,
	    jv_find(t->p->sample, span_of(low)));
	selftest_break_at(t, t->p->sample, high, jv_null(&t->arena));
	selftest_break_at(t, t->p->sample, low, jv_null(&t->arena));
}

void
selftest_break_holds(struct testing *t)
{
	const struct jv *list = jv_get(t->p->expect, "holds"), *r;
	size_t i, j;

	for (i = 0; list != NULL && i < list->count; i++) {
		r = list->items[i];
		if (r->items[0]->kind != JV_ARRAY) {
			break_sequence(t, r);
			continue;
		}
		if (span_is(r->names[0], "above")) {
			break_above(t, r->items[0]);
			continue;
		}
		for (j = 0; j < r->items[0]->count; j++)
			break_pointer(t, r->items[0]->items[j]);
		if (jv_get(r, "is") != NULL)
			break_pointer(t, jv_get(r, "is"));
	}
}
