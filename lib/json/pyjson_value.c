/* Reading decoded values, and writing them out again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json/jsonout.h"
#include "json/pyjson.h"
#include "json/pyjson_node.h"

enum pyjson_kind
pyjson_kind(const struct pyjson *v)
{
	return v == NULL ? PYJSON_ABSENT : (enum pyjson_kind)v->tag;
}

bool
pyjson_given(const struct pyjson *v)
{
	return v != NULL && v->tag != PYJSON_NULL;
}

bool
pyjson_is_string(const struct pyjson *v)
{
	return pyjson_kind(v) == PYJSON_STRING;
}

bool
pyjson_is_object(const struct pyjson *v)
{
	return pyjson_kind(v) == PYJSON_OBJECT;
}

bool
pyjson_is_array(const struct pyjson *v)
{
	return pyjson_kind(v) == PYJSON_ARRAY;
}

struct span
pyjson_string(const struct pyjson *v)
{
	if (!pyjson_is_string(v))
		return SPAN_NONE;
	return (struct span){v->u.text, v->len};
}

const char *
pyjson_cstring(const struct pyjson *v, struct arena *arena)
{
	if (!pyjson_is_string(v))
		return NULL;
	return arena_strndup(arena, v->u.text, v->len);
}

struct span
pyjson_number(const struct pyjson *v)
{
	enum pyjson_kind kind = pyjson_kind(v);

	if (kind != PYJSON_INT && kind != PYJSON_FLOAT)
		return SPAN_NONE;
	return (struct span){v->u.text, v->len};
}

bool
pyjson_int64(const struct pyjson *v, int64_t *out)
{
	return pyjson_kind(v) == PYJSON_INT &&
	    text_to_int64(pyjson_number(v), INT64_MIN, INT64_MAX, out);
}

double
pyjson_double(const struct pyjson *v)
{
	struct span text = pyjson_number(v);
	char here[64], *copy = here;
	double value;

	if (text.data == NULL)
		return NAN;
	if (text.len >= sizeof(here)) {
		copy = malloc(text.len + 1);
		if (copy == NULL)
			return NAN;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	value = strtod(copy, NULL);
	if (copy != here)
		free(copy);
	return value;
}

bool
pyjson_bool(const struct pyjson *v, bool *out)
{
	enum pyjson_kind kind = pyjson_kind(v);

	if (kind != PYJSON_TRUE && kind != PYJSON_FALSE)
		return false;
	*out = kind == PYJSON_TRUE;
	return true;
}

size_t
pyjson_count(const struct pyjson *v)
{
	return pyjson_is_array(v) || pyjson_is_object(v) ? v->len : 0;
}

struct pyjson_iter
pyjson_iter(const struct pyjson *v)
{
	if (!pyjson_is_array(v) && !pyjson_is_object(v))
		return (struct pyjson_iter){NULL, NULL, false};
	return (struct pyjson_iter){v + 1, v + v->u.nodes,
	    pyjson_is_object(v)};
}

bool
pyjson_next(struct pyjson_iter *it, struct span *name,
    const struct pyjson **value)
{
	struct span found = SPAN_NONE;

	while (it->members && it->at < it->end && it->at->dead)
		it->at += 1 + node_span(it->at + 1);
	if (it->at >= it->end)
		return false;
	if (it->members)
		found = pyjson_string(it->at++);
	*value = node_value(it->at);
	it->at += node_span(it->at);
	if (name != NULL)
		*name = found;
	return true;
}

const struct pyjson *
pyjson_get_span(const struct pyjson *v, struct span name)
{
	struct pyjson_iter it = pyjson_iter(v);
	const struct pyjson *value;
	struct span found;

	if (!pyjson_is_object(v))
		return NULL;
	while (pyjson_next(&it, &found, &value))
		if (span_equal(found, name))
			return value;
	return NULL;
}

const struct pyjson *
pyjson_get(const struct pyjson *v, const char *name)
{
	return pyjson_get_span(v, span_of(name));
}

const struct pyjson *
pyjson_item(const struct pyjson *v, size_t index)
{
	struct pyjson_iter it = pyjson_iter(v);
	const struct pyjson *value;

	if (!pyjson_is_array(v))
		return NULL;
	while (pyjson_next(&it, NULL, &value))
		if (index-- == 0)
			return value;
	return NULL;
}

const struct pyjson *
pyjson_make_string(struct arena *arena, struct span text)
{
	struct pyjson *v = arena_alloc(arena, sizeof(*v));

	if (v == NULL || text.len > UINT32_MAX)
		return NULL;
	v->tag = PYJSON_STRING;
	v->len = (uint32_t)text.len;
	v->u.text = text.data == NULL ? "" : text.data;
	return v;
}

static void
write_scalar(struct buf *out, const struct pyjson *v)
{
	switch (pyjson_kind(v)) {
	case PYJSON_STRING:
		jsonout_string(out, pyjson_string(v));
		break;
	case PYJSON_INT:
		if (span_is(pyjson_number(v), "-0"))
			buf_addc(out, '0');
		else
			buf_add(out, v->u.text, v->len);
		break;
	case PYJSON_FLOAT:
		jsonout_double(out, pyjson_double(v));
		break;
	case PYJSON_TRUE:
	case PYJSON_FALSE:
		jsonout_bool(out, v->tag == PYJSON_TRUE);
		break;
	default:
		buf_adds(out, "null");
	}
}

/* The open containers wait in a list, because their depth is the client's
 * choice and the stack is ours. */
void
pyjson_write(struct buf *out, const struct pyjson *v)
{
	struct pyjson_iter *open;
	size_t depth = 0;
	struct span name;

	if (!pyjson_is_array(v) && !pyjson_is_object(v)) {
		write_scalar(out, v);
		return;
	}
	open = calloc(PYJSON_DEPTH_MAX + 1, sizeof(*open));
	if (open == NULL) {
		out->err = ERR_MEMORY;
		return;
	}
	open[0] = pyjson_iter(v);
	buf_addc(out, open[0].members ? '{' : '[');
	for (;;) {
		if (!pyjson_next(&open[depth], &name, &v)) {
			buf_addc(out, open[depth].members ? '}' : ']');
			if (depth-- == 0)
				break;
			continue;
		}
		jsonout_comma(out);
		if (open[depth].members) {
			jsonout_string(out, name);
			buf_addc(out, ':');
		}
		if (!pyjson_is_array(v) && !pyjson_is_object(v)) {
			write_scalar(out, v);
			continue;
		}
		open[++depth] = pyjson_iter(v);
		buf_addc(out, open[depth].members ? '{' : '[');
	}
	free(open);
}
