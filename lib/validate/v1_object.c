/*
 * What Python's dict() makes a mapping of, and what may be called with it as
 * keywords: contracts/chat.md 6.3, mapping and object.
 */
#include "base/utf8.h"
#include "validate/v1_kinds.h"

static const struct field_words not_mapping = {
    "value is not a valid dict", "type_error.dict", NULL};
static const struct field_words not_keywords = {
    "keywords must be strings", "type_error", NULL};

enum pairing {
	PAIR_NONE,  /* not a pair, or its key cannot be one */
	PAIR_VALUE, /* the key is no string */
	PAIR_NAMED
};

/* One item of an array as key and value.  A string's value has no node yet:
 * *value is NULL and *text is it. */
static enum pairing
pair_of(const struct pyjson *item, struct span *name,
    const struct pyjson **value, struct span *text)
{
	struct pyjson_iter it = pyjson_iter(item);
	const struct pyjson *key;
	struct span whole = pyjson_string(item);

	*value = NULL;
	if (whole.data != NULL) {
		*name = utf8_prefix(whole, 1);
		*text = (struct span){whole.data + name->len,
		    whole.len - name->len};
		return utf8_length(whole) == 2 ? PAIR_NAMED : PAIR_NONE;
	}
	if (pyjson_count(item) != 2)
		return PAIR_NONE;
	if (pyjson_is_object(item)) {
		(void)pyjson_next(&it, name, value);
		(void)pyjson_next(&it, text, value);
		*value = NULL;
		return PAIR_NAMED;
	}
	(void)pyjson_next(&it, NULL, &key);
	(void)pyjson_next(&it, NULL, value);
	*name = pyjson_string(key);
	if (name->data != NULL)
		return PAIR_NAMED;
	return pyjson_is_array(key) || pyjson_is_object(key) ? PAIR_NONE
							     : PAIR_VALUE;
}

/* NULL, or what is wrong with it as a mapping (as keywords). */
static const struct field_words *
mapping_fault(const struct pyjson *value, bool keywords)
{
	struct pyjson_iter it = pyjson_iter(value);
	const struct field_words *wrong = NULL;
	const struct pyjson *item, *second;
	struct span name, text;

	if (pyjson_is_object(value))
		return NULL;
	if (pyjson_is_string(value))
		return pyjson_string(value).len == 0 ? NULL : &not_mapping;
	if (!pyjson_is_array(value))
		return &not_mapping;
	while (pyjson_next(&it, NULL, &item)) {
		switch (pair_of(item, &name, &second, &text)) {
		case PAIR_NONE:
			return &not_mapping;
		case PAIR_VALUE:
			if (keywords)
				wrong = &not_keywords;
			break;
		case PAIR_NAMED:
			break;
		}
	}
	return wrong;
}

static void
tell_pairs(struct validation *v, const struct pyjson *value,
    void (*member)(void *arg, struct span name, const struct pyjson *value),
    void *arg)
{
	struct pyjson_iter it = pyjson_iter(value);
	const struct pyjson *item, *second;
	struct span name, text;

	while (pyjson_next(&it, NULL, &item)) {
		(void)pair_of(item, &name, &second, &text);
		if (second == NULL)
			second = pyjson_make_string(v->arena, text);
		if (second == NULL) {
			v->out_of_memory = true;
			return;
		}
		member(arg, name, second);
	}
}

static bool
read_object(struct validation *v, const struct field_location *location,
    const struct pyjson *value,
    void (*member)(void *arg, struct span name, const struct pyjson *value),
    void *arg)
{
	const struct field_words *wrong = mapping_fault(value, true);
	struct pyjson_iter it = pyjson_iter(value);
	const struct pyjson *one;
	struct span name;

	if (wrong != NULL)
		return validation_error(v, location, wrong, value);
	if (member == NULL)
		return true;
	if (pyjson_is_array(value))
		tell_pairs(v, value, member, arg);
	else
		while (pyjson_next(&it, &name, &one))
			member(arg, name, one);
	return true;
}

const struct dialect v1_dialect = {
    .missing = {"field required", "value_error.missing", NULL},
    .none = {"none is not an allowed value", "type_error.none.not_allowed",
        NULL},
    .object = read_object,
};

static bool
read_mapping(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	const struct field_words *wrong = mapping_fault(value, false);

	(void)field;
	if (wrong != NULL)
		return validation_error(v, location, wrong, value);
	if (out != NULL)
		*(bool *)out = true;
	return true;
}

const struct field_kind v1_mapping = {sizeof(bool), read_mapping};
