/* What pydantic v1 accepts and says; contracts/chat.md 6.3. */
#include "validate/v1_kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json/jsonout.h"
#include "validate/pynumber.h"

static const struct field_words not_boolean = {
    "value could not be parsed to a boolean", "type_error.bool", NULL};
static const struct field_words not_text = {
    "str type expected", "type_error.str", NULL};
static const struct field_words not_integer = {
    "value is not a valid integer", "type_error.integer", NULL};
static const struct field_words not_list = {
    "value is not a valid list", "type_error.list", NULL};

static bool
no_memory(struct validation *v)
{
	v->out_of_memory = true;
	return false;
}

static bool
is_scalar(const struct pyjson *value)
{
	return !pyjson_is_array(value) && !pyjson_is_object(value);
}

/* ---- boolean ------------------------------------------------------------- */

static bool
word_among(struct span word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_is_nocase(word, *words))
			return true;
	return false;
}

static bool
boolean_value(const struct pyjson *value, bool *yes)
{
	static const char *const on[] = {"1", "on", "t", "true", "y", "yes",
	    NULL};
	static const char *const off[] = {"0", "off", "f", "false", "n", "no",
	    NULL};
	double number;

	switch (pyjson_kind(value)) {
	case PYJSON_TRUE:
	case PYJSON_FALSE:
		return pyjson_bool(value, yes);
	case PYJSON_INT:
	case PYJSON_FLOAT:
		number = pyjson_double(value);
		*yes = number == 1;
		return number == 1 || number == 0;
	case PYJSON_STRING:
		*yes = word_among(pyjson_string(value), on);
		return *yes || word_among(pyjson_string(value), off);
	default:
		return false;
	}
}

static bool
read_boolean(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	bool yes = false;

	(void)field;
	if (!boolean_value(value, &yes))
		return validation_error(v, location, &not_boolean, value);
	if (out != NULL)
		*(bool *)out = yes;
	return true;
}

const struct field_kind v1_boolean = {sizeof(bool), read_boolean};

/* ---- text ---------------------------------------------------------------- */

/* str() of a number, a boolean or a string. */
static bool
text_of(struct validation *v, const struct pyjson *value, struct span *text)
{
	char digits[JSONOUT_DOUBLE_TEXT];
	size_t len;

	switch (pyjson_kind(value)) {
	case PYJSON_TRUE:
		*text = SPAN("True");
		return true;
	case PYJSON_FALSE:
		*text = SPAN("False");
		return true;
	case PYJSON_INT:
		*text = pyjson_number(value);
		if (span_is(*text, "-0"))
			*text = SPAN("0");
		return true;
	case PYJSON_FLOAT:
		len = jsonout_double_text(pyjson_double(value), digits);
		text->data = arena_strndup(v->arena, digits, len);
		text->len = len;
		return text->data != NULL || no_memory(v);
	default:
		*text = pyjson_string(value);
		return true;
	}
}

static bool
read_text(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	(void)field;
	if (!is_scalar(value) || !pyjson_given(value))
		return validation_error(v, location, &not_text, value);
	return out == NULL || text_of(v, value, out);
}

const struct field_kind v1_text = {sizeof(struct span), read_text};

/* ---- integer ------------------------------------------------------------- */

/* int() of a float: cut towards zero, all of its digits. */
static bool
cut_float(struct validation *v, double number, struct span *digits)
{
	char *text;

	if (isnan(number) || isinf(number))
		return false;
	number = trunc(number) + 0.0; /* which makes 0 of -0 */
	text = arena_printf(v->arena, "%.0f", number);
	if (text == NULL)
		return no_memory(v);
	*digits = span_of(text);
	return true;
}

static bool
integer_digits(struct validation *v, const struct pyjson *value,
    struct span *digits)
{
	switch (pyjson_kind(value)) {
	case PYJSON_TRUE:
		*digits = SPAN("1");
		return true;
	case PYJSON_FALSE:
		*digits = SPAN("0");
		return true;
	case PYJSON_INT:
		return text_of(v, value, digits);
	case PYJSON_FLOAT:
		return cut_float(v, pyjson_double(value), digits);
	case PYJSON_STRING:
		switch (pynumber_int(v->arena, pyjson_string(value), digits)) {
		case PYNUMBER_READ:
			return true;
		case PYNUMBER_NONE:
			return false;
		case PYNUMBER_NO_MEMORY:
			return no_memory(v);
		}
		return false;
	default:
		return false;
	}
}

static bool
read_integer(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	struct field_integer *integer = out;
	struct span digits;

	(void)field;
	if (!integer_digits(v, value, &digits)) {
		if (v->out_of_memory)
			return false;
		return validation_error(v, location, &not_integer, value);
	}
	if (integer == NULL)
		return true;
	integer->given = true;
	if (!text_to_int64(digits, INT64_MIN, INT64_MAX, &integer->value))
		integer->value = digits.data[0] == '-' ? INT64_MIN : INT64_MAX;
	integer->digits.data = arena_strndup(v->arena, digits.data,
	    digits.len);
	integer->digits.len = digits.len;
	return integer->digits.data != NULL || no_memory(v);
}

const struct field_kind v1_integer = {sizeof(struct field_integer),
    read_integer};

/* ---- enumeration --------------------------------------------------------- */

static bool
read_enumeration(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	const struct v1_enumeration *known = field->detail;
	size_t i;

	for (i = 0; i < known->n; i++) {
		if (!pyjson_is_string(value) ||
		    !span_is(pyjson_string(value), known->values[i]))
			continue;
		if (out != NULL)
			*(int *)out = (int)i;
		return true;
	}
	return validation_error(v, location, &known->words, value);
}

const struct field_kind v1_enumeration = {sizeof(int), read_enumeration};

/* ---- list ---------------------------------------------------------------- */

/* Reads every item to `items`, or all of them to the one scratch item. */
static bool
read_items(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    char *items, bool scratch)
{
	const struct model *model = field->detail;
	struct pyjson_iter it = pyjson_iter(value);
	struct field_location here = {location, NULL, 0};
	const struct pyjson *item;
	size_t before = v->errors;

	for (; pyjson_next(&it, NULL, &item); here.index++) {
		if (!pyjson_given(item))
			(void)validation_error(v, &here, &v1_dialect.none,
			    item);
		else
			(void)validate(v, model, &here, item, items);
		if (!scratch)
			items += model->size;
	}
	return v->errors == before && !v->out_of_memory;
}

/* Room for the items is taken only when all are known to be good: a hostile
 * list costs nothing. */
static bool
read_list(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	const struct model *model = field->detail;
	struct field_list *list = out;
	char *items;

	if (!pyjson_is_array(value))
		return validation_error(v, location, &not_list, value);
	items = arena_alloc(v->arena, model->size);
	if (items == NULL)
		return no_memory(v);
	if (!read_items(v, field, location, value, items, true))
		return false;
	if (list == NULL)
		return true;
	items = arena_array(v->arena, pyjson_count(value), model->size);
	if (items == NULL)
		return no_memory(v);
	list->items = items;
	list->n = pyjson_count(value);
	return read_items(v, field, location, value, items, false);
}

const struct field_kind v1_list = {sizeof(struct field_list), read_list};

/* ---- the error list ------------------------------------------------------ */

static void
write_place(struct buf *out, const struct field_location *location)
{
	if (location == NULL) {
		buf_adds(out, "\"body\"");
		return;
	}
	write_place(out, location->outer); /* as deep as the model, no deeper */
	buf_addc(out, ',');
	if (location->name != NULL)
		jsonout_cstring(out, location->name);
	else
		jsonout_int(out, (int64_t)location->index);
}

void
v1_error_json(struct buf *out, const struct field_error *e)
{
	buf_adds(out, "{\"loc\":[");
	write_place(out, e->location);
	buf_addc(out, ']');
	jsonout_member_cstring(out, "msg", e->words->msg);
	jsonout_member_cstring(out, "type", e->words->type);
	if (e->words->ctx != NULL)
		jsonout_member_raw(out, "ctx", span_of(e->words->ctx));
	buf_addc(out, '}');
}
