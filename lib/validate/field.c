/*
 * The walk: the members are sorted into the table's slots, then the slots
 * are read in the table's order, then the whole is checked.  pydantic
 * reports every bad field, in declaration order: so nothing stops at one.
 */
#include "validate/field.h"

#include <string.h>

struct slots {
	const struct model *model;
	const struct pyjson *found[FIELDS_MAX];
};

static void
ignore_error(struct field_sink *sink, const struct field_error *e)
{
	(void)sink;
	(void)e;
}

struct field_sink field_sink_none = {ignore_error};

bool
validation_error(struct validation *v, const struct field_location *location,
    const struct field_words *words, const struct pyjson *value)
{
	const struct field_error e = {location, words, value};

	v->errors++;
	v->sink->error(v->sink, &e);
	return false;
}

static void
put_in_slot(void *arg, struct span name, const struct pyjson *value)
{
	struct slots *slots = arg;
	size_t i;

	for (i = 0; i < slots->model->n_fields; i++)
		if (span_is(name, slots->model->fields[i].name))
			slots->found[i] = value;
}

static void
read_field(struct validation *v, const struct dialect *dialect,
    const struct field *field, const struct field_location *outer,
    const struct pyjson *value, char *result)
{
	const struct field_location location = {outer, field->name, 0};
	char *out = result + field->offset;

	if (value == NULL) {
		if (field->required)
			(void)validation_error(v, &location, &dialect->missing,
			    NULL);
		else if (field->fallback != NULL)
			memcpy(out, field->fallback, field->kind->size);
		return;
	}
	if (pyjson_kind(value) == PYJSON_NULL) {
		if (field->null)
			return;
		if (dialect->none.msg != NULL) {
			(void)validation_error(v, &location, &dialect->none,
			    value);
			return;
		}
	}
	if (!field->kind->read(v, field, &location, value, out))
		memset(out, 0, field->kind->size);
}

bool
validate(struct validation *v, const struct model *model,
    const struct field_location *location, const struct pyjson *value,
    void *result)
{
	const struct dialect *dialect = model->dialect;
	struct slots slots = {.model = model};
	size_t before = v->errors, i;
	bool clean;

	memset(result, 0, model->size);
	if (location == NULL && !pyjson_given(value))
		return validation_error(v, NULL, &dialect->missing, value);
	if (!dialect->object(v, location, value, put_in_slot, &slots))
		return false;
	for (i = 0; i < model->n_fields; i++)
		read_field(v, dialect, &model->fields[i], location,
		    slots.found[i], result);
	clean = v->errors == before;
	for (i = 0; i < model->n_checks; i++) {
		const struct whole_check *check = &model->checks[i];
		const struct field_location whole = {
		    location, check->location, 0};

		if ((clean || !check->only_when_clean) &&
		    !check->holds(result))
			(void)validation_error(v, &whole, &check->words,
			    value);
	}
	return v->errors == before && !v->out_of_memory;
}
