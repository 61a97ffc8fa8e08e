/*
 * Arithmetic is exact: decimals are integers of 128 bits with a number of
 * places, as the contract asks (chat-messages.md 4); a price that was
 * rounded from binary floating point shows here.
 */
#include "relation.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"

#define SHOWN 200

struct amount {
	__int128 digits;
	int places;
};

/* ---- decimals ----------------------------------------------------------- */

static bool
fits(__int128 digits)
{
	return digits < ((__int128)1 << 120) && digits > -((__int128)1 << 120);
}

/* "12", "0.0010", "1E-7"; from a number's or a string's text. */
static bool
decimal_read(struct span s, struct amount *out)
{
	struct span exponent, mantissa;
	int64_t shift = 0;
	size_t i, digits = 0;
	bool point = false;

	*out = (struct amount){0, 0};
	for (i = 0; i < s.len && s.data[i] != 'e' && s.data[i] != 'E'; i++)
		;
	mantissa = (struct span){s.data, i};
	if (i < s.len) {
		exponent = (struct span){s.data + i + 1, s.len - i - 1};
		if (span_starts(exponent, "+"))
			exponent = (struct span){exponent.data + 1,
			    exponent.len - 1};
		if (!text_to_int64(exponent, -30, 18, &shift))
			return false;
	}
	for (i = 0; i < mantissa.len; i++) {
		if (mantissa.data[i] == '.' && !point) {
			point = true;
		} else if (text_is_digit(mantissa.data[i]) &&
		    fits(out->digits * 10)) {
			out->digits = out->digits * 10 +
			    (mantissa.data[i] - '0');
			out->places += point;
			digits++;
		} else if (i > 0 || mantissa.data[i] != '-') {
			return false;
		}
	}
	for (; shift > 0; shift--)
		out->digits *= 10;
	out->places -= (int)shift;
	if (mantissa.len > 0 && mantissa.data[0] == '-')
		out->digits = -out->digits;
	return digits > 0 && fits(out->digits);
}

/* At least this many places; false when that does not fit. */
static bool
decimal_widen(struct amount *d, int places)
{
	for (; d->places < places; d->places++) {
		if (!fits(d->digits * 10))
			return false;
		d->digits *= 10;
	}
	return true;
}

/* Half away from zero, to this many places. */
static bool
decimal_round(struct amount *d, int places)
{
	__int128 unit = 1, half;

	if (d->places <= places)
		return decimal_widen(d, places);
	for (; d->places > places; d->places--) {
		if (!fits(unit * 10))
			return false;
		unit *= 10;
	}
	half = unit / 2;
	d->digits = (d->digits + (d->digits < 0 ? -half : half)) / unit;
	return true;
}

static bool
decimal_same(struct amount a, struct amount b)
{
	return decimal_widen(&a, b.places) && decimal_widen(&b, a.places) &&
	    a.digits == b.digits;
}

static char *
decimal_text(struct arena *a, struct amount d)
{
	char digits[64];
	size_t n = sizeof(digits);
	__int128 rest = d.digits < 0 ? -d.digits : d.digits;
	int place = 0;

	digits[--n] = '\0';
	do {
		digits[--n] = (char)('0' + (int)(rest % 10));
		rest /= 10;
		if (++place == d.places)
			digits[--n] = '.';
	} while ((rest > 0 || place <= d.places) && n > 3);
	if (d.digits < 0)
		digits[--n] = '-';
	return mem_strdup(a, digits + n);
}

/* ---- relations ---------------------------------------------------------- */

struct relating {
	struct arena *arena;
	const struct relation_source *source;
	struct difference *d;
};

static const struct jv *
value_at(const struct relating *r, const struct jv *pointer)
{
	if (r->source->root != NULL)
		return jv_find(r->source->root, pointer->text);
	return sse_last(r->source->stream, pointer->text);
}

static bool
wrong(struct relating *r, const struct jv *pointer, const char *expected,
    const struct jv *got)
{
	r->d->where = mem_printf(r->arena, "body %s", pointer->text.data);
	r->d->expected = expected;
	r->d->got = jv_show(r->arena, got, SHOWN);
	return false;
}

static bool
read_at(struct relating *r, const struct jv *pointer, struct amount *out)
{
	const struct jv *value = value_at(r, pointer);

	if (value != NULL &&
	    (value->kind == JV_NUMBER || value->kind == JV_STRING) &&
	    decimal_read(value->text, out))
		return true;
	return wrong(r, pointer, "(a decimal number)", value);
}

static const char *
joined(struct arena *a, const struct jv *pointers, const char *with)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t i;

	for (i = 0; i < pointers->count; i++) {
		if (i > 0)
			buf_adds(&b, with);
		buf_adds(&b, pointers->items[i]->text.data);
	}
	return mem_take(a, &b).data;
}

static bool
holds_arithmetic(struct relating *r, const struct jv *relation, bool product)
{
	const struct jv *list = jv_get(relation, product ? "product" : "sum");
	const struct jv *is = jv_get(relation, "is");
	const struct jv *places = jv_get(relation, "places");
	struct amount total = {product, 0}, part;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (!read_at(r, list->items[i], &part))
			return false;
		if (product) {
			if (__builtin_mul_overflow(total.digits, part.digits,
				&total.digits))
				return wrong(r, is, "(fewer digits)", NULL);
			total.places += part.places;
		} else {
			if (!decimal_widen(&total, part.places) ||
			    !decimal_widen(&part, total.places))
				return wrong(r, is, "(fewer digits)", NULL);
			total.digits += part.digits;
		}
	}
	if (places != NULL &&
	    !decimal_round(&total, places->text.data[0] - '0'))
		return wrong(r, is, "(fewer digits)", NULL);
	if (!read_at(r, is, &part))
		return false;
	if (decimal_same(total, part))
		return true;
	return wrong(r, is,
	    mem_printf(r->arena, "%s, which is %s",
		decimal_text(r->arena, total),
		joined(r->arena, list, product ? " x " : " + ")),
	    value_at(r, is));
}

static bool
holds_equal(struct relating *r, const struct jv *list)
{
	const struct jv *first = value_at(r, list->items[0]), *other;
	size_t i;

	for (i = 0; i < list->count; i++) {
		other = value_at(r, list->items[i]);
		if (first == NULL || other == NULL || !jv_equal(first, other))
			return wrong(r, list->items[i],
			    mem_printf(r->arena, "%s, as %s",
				jv_show(r->arena, first, SHOWN),
				list->items[0]->text.data),
			    other);
	}
	return true;
}

enum sequence { COUNTS, FALLS, RISES };

/* Is the item's value right behind the one before it? */
static bool
in_sequence(enum sequence kind, size_t i, struct amount before,
    struct amount now)
{
	if (kind == COUNTS)
		return decimal_same(now,
		    (struct amount){(__int128)i + 1, 0});
	if (i == 0)
		return true;
	if (!decimal_widen(&before, now.places) ||
	    !decimal_widen(&now, before.places))
		return false;
	return kind == FALLS ? now.digits <= before.digits
			     : now.digits >= before.digits;
}

static bool
holds_sequence(struct relating *r, const struct jv *relation,
    enum sequence kind, const struct jv *list)
{
	static const char *const expected[] = {"1, 2, 3 ... in order",
	    "none above the one before it", "none below the one before it"};
	const struct jv *at = jv_get(relation, "at"), *value;
	const struct jv *array = value_at(r, list);
	struct amount now, before = {0, 0};
	size_t i;

	if (array == NULL || array->kind != JV_ARRAY)
		return wrong(r, list, "\"$array\"", array);
	for (i = 0; i < array->count; i++) {
		value = jv_find(array->items[i], at->text);
		if (value == NULL ||
		    (value->kind != JV_NUMBER && value->kind != JV_STRING) ||
		    !decimal_read(value->text, &now) ||
		    !in_sequence(kind, i, before, now)) {
			wrong(r, list, expected[kind], value);
			r->d->where = mem_printf(r->arena, "body %s/%zu%s",
			    list->text.data, i, at->text.data);
			return false;
		}
		before = now;
	}
	return true;
}

static const struct jv *
array_at(struct relating *r, const struct jv *pointer)
{
	const struct jv *array = value_at(r, pointer);

	if (array != NULL && array->kind == JV_ARRAY)
		return array;
	wrong(r, pointer, "\"$array\"", array);
	return NULL;
}

/* wrong(), at a value below item i of the list. */
static bool
wrong_item(struct relating *r, const struct jv *list, size_t i,
    const struct jv *at, const char *expected, const struct jv *got)
{
	wrong(r, list, expected, got);
	r->d->where = mem_printf(r->arena, "body %s/%zu%s", list->text.data,
	    i, at->text.data);
	return false;
}

static bool
holds_unique(struct relating *r, const struct jv *relation)
{
	const struct jv *list = relation->items[0];
	const struct jv *at = jv_get(relation, "at"), *value;
	const struct jv *array = array_at(r, list);
	size_t i, j;

	for (i = 0; array != NULL && i < array->count; i++) {
		value = jv_find(array->items[i], at->text);
		for (j = 0; value != NULL && j < i; j++)
			if (jv_equal(value,
				jv_find(array->items[j], at->text)))
				break;
		if (value == NULL || j < i)
			return wrong_item(r, list, i, at,
			    "(another value in each)", value);
	}
	return array != NULL;
}

/* The values of "is" stand in the list, in this order; others may stand
 * between them. */
static bool
holds_order(struct relating *r, const struct jv *relation)
{
	const struct jv *list = relation->items[0];
	const struct jv *at = jv_get(relation, "at"), *value;
	const struct jv *is = jv_get(relation, "is");
	const struct jv *array = array_at(r, list);
	size_t i, found = 0;

	for (i = 0; array != NULL && i < array->count; i++) {
		value = jv_find(array->items[i], at->text);
		if (found < is->count && value != NULL &&
		    jv_equal(value, is->items[found]))
			found++;
	}
	if (array == NULL || found == is->count)
		return array != NULL;
	return wrong(r, list,
	    mem_printf(r->arena, "%s at %s, in this order",
		jv_show(r->arena, is, SHOWN), at->text.data),
	    array);
}

static bool
holds_above(struct relating *r, const struct jv *list)
{
	struct amount high, low;

	if (!read_at(r, list->items[0], &high) ||
	    !read_at(r, list->items[1], &low))
		return false;
	if (decimal_widen(&high, low.places) &&
	    decimal_widen(&low, high.places) && high.digits > low.digits)
		return true;
	return wrong(r, list->items[0],
	    mem_printf(r->arena, "(more than %s)",
		list->items[1]->text.data),
	    value_at(r, list->items[0]));
}

/* Every row of a list is held to a sum of its own. */
static bool
holds_rows(struct relating *r, const struct jv *relation)
{
	const struct jv *list = relation->items[0];
	const struct jv *array = array_at(r, list);
	struct relation_source source = {NULL, NULL};
	struct relating row = {r->arena, &source, r->d};
	size_t i;

	for (i = 0; array != NULL && i < array->count; i++) {
		source.root = array->items[i];
		if (holds_arithmetic(&row, relation, false))
			continue;
		r->d->where = mem_printf(r->arena, "body %s/%zu%s",
		    list->text.data, i,
		    jv_get(relation, "is")->text.data);
		return false;
	}
	return array != NULL;
}

static bool
holds_total(struct relating *r, const struct jv *relation)
{
	const struct jv *list = relation->items[0];
	const struct jv *at = jv_get(relation, "at"), *value;
	const struct jv *is = jv_get(relation, "is");
	const struct jv *array = array_at(r, list);
	struct amount total = {0, 0}, part;
	size_t i;

	for (i = 0; array != NULL && i < array->count; i++) {
		value = jv_find(array->items[i], at->text);
		if (value == NULL || !decimal_read(value->text, &part) ||
		    !decimal_widen(&total, part.places) ||
		    !decimal_widen(&part, total.places))
			return wrong_item(r, list, i, at,
			    "(a decimal number)", value);
		total.digits += part.digits;
	}
	if (array == NULL || !read_at(r, is, &part))
		return false;
	return decimal_same(total, part) ||
	    wrong(r, is,
		mem_printf(r->arena, "%s, the total of %s",
		    decimal_text(r->arena, total), list->text.data),
		value_at(r, is));
}

static bool
holds_product(struct relating *r, const struct jv *relation)
{
	return holds_arithmetic(r, relation, true);
}

static bool
holds_sum(struct relating *r, const struct jv *relation)
{
	return holds_arithmetic(r, relation, false);
}

static bool
holds_same(struct relating *r, const struct jv *relation)
{
	return holds_equal(r, relation->items[0]);
}

static bool
holds_more(struct relating *r, const struct jv *relation)
{
	return holds_above(r, relation->items[0]);
}

static bool
holds_counts(struct relating *r, const struct jv *relation)
{
	return holds_sequence(r, relation, COUNTS, relation->items[0]);
}

static bool
holds_falls(struct relating *r, const struct jv *relation)
{
	return holds_sequence(r, relation, FALLS, relation->items[0]);
}

static bool
holds_rises(struct relating *r, const struct jv *relation)
{
	return holds_sequence(r, relation, RISES, relation->items[0]);
}

/* The name that comes first says which relation it is.  What each needs
 * besides: a pointer as P, an array of pointers as L, of anything as A. */
static const struct relation_kind {
	const char *name;
	char first;
	struct {
		const char *name;
		char kind;
	} others[2];
	bool (*holds)(struct relating *, const struct jv *);
} kinds[] = {
    {"equal", 'L', {{NULL, 0}}, holds_same},
    {"sum", 'L', {{"is", 'P'}}, holds_sum},
    {"product", 'L', {{"is", 'P'}}, holds_product},
    {"above", 'L', {{NULL, 0}}, holds_more},
    {"counts", 'P', {{"at", 'P'}}, holds_counts},
    {"falls", 'P', {{"at", 'P'}}, holds_falls},
    {"rises", 'P', {{"at", 'P'}}, holds_rises},
    {"unique", 'P', {{"at", 'P'}}, holds_unique},
    {"order", 'P', {{"at", 'P'}, {"is", 'A'}}, holds_order},
    {"rows", 'P', {{"sum", 'L'}, {"is", 'P'}}, holds_rows},
    {"total", 'P', {{"at", 'P'}, {"is", 'P'}}, holds_total},
    {NULL, 0, {{NULL, 0}}, NULL}};

static const struct relation_kind *
kind_of(const struct jv *relation)
{
	const struct relation_kind *k;

	for (k = kinds; k->name != NULL; k++)
		if (span_is(relation->names[0], k->name))
			return k;
	return NULL;
}

bool
relation_check(struct arena *a, const struct jv *list,
    const struct relation_source *source, struct difference *d)
{
	struct relating r = {a, source, d};
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!kind_of(list->items[i])->holds(&r, list->items[i]))
			return false;
	return true;
}

/* ---- are they relations? ------------------------------------------------ */

/* "" is the whole body. */
static bool
is_pointer(const struct jv *v)
{
	return v != NULL && v->kind == JV_STRING &&
	    (v->text.len == 0 || span_starts(v->text, "/"));
}

static bool
is_of_kind(const struct jv *v, char kind)
{
	size_t i;

	if (kind == 'P' || v == NULL)
		return is_pointer(v);
	if (v->kind != JV_ARRAY || v->count < 2)
		return false;
	for (i = 0; i < v->count && kind == 'L'; i++)
		if (!is_pointer(v->items[i]))
			return false;
	return true;
}

static const char *
one_fault(struct arena *a, const struct jv *relation)
{
	const struct relation_kind *k;
	const struct jv *places = jv_get(relation, "places");
	size_t i, known = 1;

	if (relation->kind != JV_OBJECT || relation->count == 0)
		return "a relation is an object";
	k = kind_of(relation);
	if (k == NULL)
		return "a relation begins with equal, sum, product, above, "
		       "counts, falls, rises, unique, order, rows or total";
	if (!is_of_kind(relation->items[0], k->first))
		return mem_printf(a, "\"%s\" needs %s", k->name,
		    k->first == 'P' ? "a pointer" : "pointers");
	for (i = 0; i < 2 && k->others[i].name != NULL; i++, known++)
		if (!is_of_kind(jv_get(relation, k->others[i].name),
			k->others[i].kind))
			return mem_printf(a, "\"%s\" needs \"%s\"", k->name,
			    k->others[i].name);
	if (places != NULL && k->first == 'L' && k->others[0].name != NULL) {
		if (!jv_is_int(places) || places->text.len != 1)
			return "\"places\" is one digit";
		known++;
	}
	return relation->count == known
	    ? NULL
	    : mem_printf(a, "\"%s\" has no such member", k->name);
}

const char *
relation_fault(struct arena *a, const struct jv *list, const struct jv **at)
{
	const char *why;
	size_t i;

	*at = list;
	if (list->kind != JV_ARRAY)
		return "holds needs an array";
	for (i = 0; i < list->count; i++) {
		why = one_fault(a, list->items[i]);
		*at = list->items[i];
		if (why != NULL)
			return why;
	}
	return NULL;
}
