/*
 * One function per kind of matcher; each fills in the difference at the
 * place where it first fails, so the deepest comparison names the place.
 */
#include "matcher.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/uuid.h"
#include "mem.h"

#define SHOWN 400

struct matching {
	struct arena *arena;
	struct difference *d;
};

static bool match_at(struct matching *c, const struct jv *m,
    const struct jv *value, const char *where);

static bool
differ(struct matching *c, const struct jv *m, const struct jv *value,
    const char *where)
{
	c->d->where = where;
	c->d->expected = jv_show(c->arena, m, SHOWN);
	c->d->got = jv_show(c->arena, value, SHOWN);
	return false;
}

static const char *
below(struct matching *c, const char *where, struct span name)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);

	buf_adds(&b, where);
	if (strchr(where, '/') == NULL)
		buf_addc(&b, ' ');
	jv_pointer_part(&b, name);
	return mem_take(c->arena, &b).data;
}

static const char *
below_index(struct matching *c, const char *where, size_t i)
{
	return mem_printf(c->arena, "%s%s/%zu", where,
	    strchr(where, '/') == NULL ? " " : "", i);
}

/* ---- words -------------------------------------------------------------- */

static bool
is_blank_text(struct span s)
{
	size_t at = 0;
	uint32_t code;

	while (at < s.len) {
		code = utf8_next(s, &at);
		if (!(code <= 0x20 || code == 0x7F || code == 0x85 ||
			code == 0xA0 || code == 0x1680 ||
			(code >= 0x2000 && code <= 0x200F) ||
			code == 0x2028 || code == 0x2029 || code == 0x202F ||
			code == 0x205F || code == 0x3000 || code == 0xFEFF))
			return false;
	}
	return true;
}

/* Digits, with digits after one point: "5", "0.0010". */
static bool
is_decimal(struct span s)
{
	size_t i, digits = 0, points = 0;

	for (i = 0; i < s.len; i++) {
		if (text_is_digit(s.data[i]))
			digits++;
		else if (s.data[i] == '.' && i > 0 && i + 1 < s.len)
			points++;
		else
			return false;
	}
	return digits > 0 && points <= 1;
}

static bool
word_any(const struct jv *v)
{
	return v != NULL;
}

static bool
word_absent(const struct jv *v)
{
	return v == NULL;
}

static bool
word_string(const struct jv *v)
{
	return v != NULL && v->kind == JV_STRING;
}

static bool
word_text(const struct jv *v)
{
	return word_string(v) && !is_blank_text(v->text);
}

static bool
word_number(const struct jv *v)
{
	return v != NULL && v->kind == JV_NUMBER;
}

static bool
word_bool(const struct jv *v)
{
	return v != NULL && v->kind == JV_BOOL;
}

static bool
word_object(const struct jv *v)
{
	return v != NULL && v->kind == JV_OBJECT;
}

static bool
word_array(const struct jv *v)
{
	return v != NULL && v->kind == JV_ARRAY;
}

static bool
word_uuid(const struct jv *v)
{
	return word_string(v) && uuid_is_hyphenated(v->text);
}

static bool
word_decimal(const struct jv *v)
{
	return word_string(v) && is_decimal(v->text);
}

static bool
word_epoch(const struct jv *v)
{
	return jv_is_int(v) && v->text.len == 10 && v->text.data[0] != '-';
}

const char *const matcher_words[] = {"$any", "$absent", "$string", "$text",
    "$int", "$number", "$bool", "$object", "$array", "$uuid", "$decimal",
    "$epoch", NULL};

static bool (*const word_tests[])(const struct jv *) = {word_any,
    word_absent, word_string, word_text, jv_is_int, word_number, word_bool,
    word_object, word_array, word_uuid, word_decimal, word_epoch};

bool
matcher_is_word(const struct jv *m, const char *word)
{
	return m->kind == JV_STRING && !m->literal && span_is(m->text, word);
}

static bool
match_string(struct matching *c, const struct jv *m, const struct jv *value,
    const char *where)
{
	struct span text = m->text;
	size_t i;

	if (m->literal || text.len == 0 || text.data[0] != '$') {
		if (value != NULL && value->kind == JV_STRING &&
		    span_equal(text, value->text))
			return true;
		return differ(c, m, value, where);
	}
	for (i = 0; matcher_words[i] != NULL; i++)
		if (span_is(text, matcher_words[i]))
			return word_tests[i](value)
			    ? true
			    : differ(c, m, value, where);
	if (span_starts(text, "$$") && value != NULL &&
	    value->kind == JV_STRING &&
	    span_equal((struct span){text.data + 1, text.len - 1},
		value->text))
		return true;
	return differ(c, m, value, where);
}

/* ---- operators ---------------------------------------------------------- */

static const char *const operators[] = {"$only", "$bag", "$each", "$has",
    "$in", "$re", NULL};

const char *
matcher_operator(const struct jv *m, const struct jv **operand)
{
	size_t i;

	if (m->kind != JV_OBJECT || m->literal || m->count != 1)
		return NULL;
	for (i = 0; operators[i] != NULL; i++)
		if (span_is(m->names[0], operators[i])) {
			*operand = m->items[0];
			return operators[i];
		}
	return NULL;
}

static bool
match_members(struct matching *c, const struct jv *m, const struct jv *value,
    const char *where, bool only)
{
	size_t i;

	if (value == NULL || value->kind != JV_OBJECT)
		return differ(c, m, value, where);
	for (i = 0; i < m->count; i++)
		if (!match_at(c, m->items[i],
			jv_get_span(value, m->names[i]),
			below(c, where, m->names[i])))
			return false;
	for (i = 0; only && i < value->count; i++)
		if (jv_get_span(m, value->names[i]) == NULL) {
			differ(c, m, value->items[i],
			    below(c, where, value->names[i]));
			c->d->expected = "(no such member)";
			return false;
		}
	return true;
}

static bool
match_items(struct matching *c, const struct jv *m, const struct jv *value,
    const char *where)
{
	size_t i;

	if (value == NULL || value->kind != JV_ARRAY)
		return differ(c, m, value, where);
	for (i = 0; i < m->count && i < value->count; i++)
		if (!match_at(c, m->items[i], value->items[i],
			below_index(c, where, i)))
			return false;
	if (m->count == value->count)
		return true;
	differ(c, m, value, where);
	c->d->where = mem_printf(c->arena, "%s (%zu items, not %zu)", where,
	    value->count, m->count);
	return false;
}

/* Tries to give every matcher from i on an item of its own. */
static bool
bag_assign(struct matching *c, const struct jv *m, const struct jv *value,
    size_t i, bool *used)
{
	struct difference ignored;
	struct matching quiet = {c->arena, &ignored};
	size_t j;

	if (i == m->count)
		return true;
	for (j = 0; j < value->count; j++) {
		if (used[j] ||
		    !match_at(&quiet, m->items[i], value->items[j], ""))
			continue;
		used[j] = true;
		if (bag_assign(c, m, value, i + 1, used))
			return true;
		used[j] = false;
	}
	return false;
}

static bool
match_bag(struct matching *c, const struct jv *m, const struct jv *list,
    const struct jv *value, const char *where)
{
	if (value == NULL || value->kind != JV_ARRAY ||
	    value->count != list->count)
		return differ(c, m, value, where);
	return bag_assign(c, list, value, 0,
		   mem_array(c->arena, value->count, sizeof(bool))) ||
	    differ(c, m, value, where);
}

static bool
match_each(struct matching *c, const struct jv *m, const struct jv *inner,
    const struct jv *value, const char *where, bool every)
{
	struct difference ignored;
	struct matching quiet = {c->arena, &ignored};
	size_t i;

	if (value == NULL || value->kind != JV_ARRAY || value->count == 0)
		return differ(c, m, value, where);
	for (i = 0; i < value->count; i++) {
		if (every) {
			if (!match_at(c, inner, value->items[i],
				below_index(c, where, i)))
				return false;
		} else if (match_at(&quiet, inner, value->items[i], where)) {
			return true;
		}
	}
	return every || differ(c, m, value, where);
}

static bool
match_in(struct matching *c, const struct jv *m, const struct jv *list,
    const struct jv *value, const char *where)
{
	struct difference ignored;
	struct matching quiet = {c->arena, &ignored};
	size_t i;

	for (i = 0; i < list->count; i++)
		if (match_at(&quiet, list->items[i], value, where))
			return true;
	return differ(c, m, value, where);
}

static bool
match_regex(struct matching *c, const struct jv *m, const struct jv *pattern,
    const struct jv *value, const char *where)
{
	regmatch_t all;
	regex_t regex;
	bool found = false;

	if (value == NULL || value->kind != JV_STRING)
		return differ(c, m, value, where);
	if (regcomp(&regex, pattern->text.data, REG_EXTENDED) == 0) {
		all.rm_so = 0;
		all.rm_eo = (regoff_t)value->text.len;
		found = regexec(&regex, value->text.data, 1, &all,
			    REG_STARTEND) == 0;
		regfree(&regex);
	}
	return found || differ(c, m, value, where);
}

static bool
match_operator(struct matching *c, const struct jv *m, const char *op,
    const struct jv *operand, const struct jv *value, const char *where)
{
	if (strcmp(op, "$only") == 0)
		return match_members(c, operand, value, where, true);
	if (strcmp(op, "$bag") == 0)
		return match_bag(c, m, operand, value, where);
	if (strcmp(op, "$in") == 0)
		return match_in(c, m, operand, value, where);
	if (strcmp(op, "$re") == 0)
		return match_regex(c, m, operand, value, where);
	return match_each(c, m, operand, value, where,
	    strcmp(op, "$each") == 0);
}

static bool
match_at(struct matching *c, const struct jv *m, const struct jv *value,
    const char *where)
{
	const struct jv *operand;
	const char *op;

	op = matcher_operator(m, &operand);
	if (op != NULL)
		return match_operator(c, m, op, operand, value, where);
	switch (m->kind) {
	case JV_STRING:
		return match_string(c, m, value, where);
	case JV_OBJECT:
		return match_members(c, m, value, where, m->literal);
	case JV_ARRAY:
		return match_items(c, m, value, where);
	default:
		return value != NULL && jv_equal(m, value)
		    ? true
		    : differ(c, m, value, where);
	}
}

bool
match(struct arena *a, const struct jv *m, const struct jv *value,
    const char *where, struct difference *d)
{
	struct matching c = {a, d};

	return match_at(&c, m, value, where);
}

/* ---- is it a matcher? --------------------------------------------------- */

static const char *
string_fault(struct arena *a, const struct jv *m)
{
	const char *nearest = NULL;
	size_t i, best = 4, distance;

	if (m->literal || !span_starts(m->text, "$") ||
	    span_starts(m->text, "$$"))
		return NULL;
	for (i = 0; matcher_words[i] != NULL; i++) {
		distance = text_distance(m->text.data, matcher_words[i]);
		if (distance == 0)
			return NULL;
		if (distance < best) {
			best = distance;
			nearest = matcher_words[i];
		}
	}
	return mem_printf(a, "\"%s\" is no matcher%s%s%s", m->text.data,
	    nearest == NULL ? "" : "; did you mean \"",
	    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
}

static const char *
regex_fault(struct arena *a, const struct jv *pattern)
{
	char why[200];
	regex_t regex;
	int rc;

	if (pattern->kind != JV_STRING)
		return "$re needs a string";
	if (memchr(pattern->text.data, '\0', pattern->text.len) != NULL)
		return "$re must not contain NUL";
	rc = regcomp(&regex, pattern->text.data, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, &regex, why, sizeof(why));
		return mem_printf(a, "$re: %s", why);
	}
	regfree(&regex);
	return NULL;
}

static const char *
operator_fault(struct arena *a, const char *op, const struct jv *operand,
    const struct jv **at)
{
	if (strcmp(op, "$re") == 0)
		return regex_fault(a, operand);
	if (strcmp(op, "$only") == 0 && operand->kind != JV_OBJECT)
		return "$only needs an object";
	if ((strcmp(op, "$bag") == 0 || strcmp(op, "$in") == 0) &&
	    operand->kind != JV_ARRAY)
		return mem_printf(a, "%s needs an array", op);
	if (strcmp(op, "$in") == 0 && operand->count == 0)
		return "$in needs at least one matcher";
	return matcher_fault(a, operand, at);
}

const char *
matcher_fault(struct arena *a, const struct jv *m, const struct jv **at)
{
	const struct jv *operand;
	const char *op, *why = NULL;
	size_t i;

	*at = m;
	if (m->literal)
		return NULL;
	op = matcher_operator(m, &operand);
	if (op != NULL)
		return operator_fault(a, op, operand, at);
	if (m->kind == JV_STRING)
		return string_fault(a, m);
	for (i = 0; i < m->count && why == NULL; i++) {
		if (m->kind == JV_OBJECT && span_starts(m->names[i], "$"))
			return mem_printf(a,
			    "\"%s\" is no operator, or does not stand alone",
			    m->names[i].data);
		why = matcher_fault(a, m->items[i], at);
	}
	return why;
}
