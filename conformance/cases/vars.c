/* See vars.h.  Trees without variables are returned as they are. */
#include "vars.h"

#include <string.h>

#include "match/mem.h"

bool
vars_is_name(struct span name)
{
	size_t i;

	if (name.len == 0 || !text_is_alpha(name.data[0]))
		return false;
	for (i = 1; i < name.len; i++)
		if (!text_is_alnum(name.data[i]) && name.data[i] != '_')
			return false;
	return true;
}

const struct jv *
vars_get(const struct vars *vars, struct span name, enum vars_layer *layer)
{
	const struct jv *value;
	int i;

	for (i = 0; i < VARS_LAYERS; i++) {
		value = jv_get_span(vars->layers[i], name);
		if (value != NULL) {
			*layer = (enum vars_layer)i;
			return value;
		}
	}
	return NULL;
}

/* The next {{name}} in s at or after *at; moves *at to its "{{". */
static bool
next_mark(struct span s, size_t *at, struct span *name)
{
	const char *end;

	for (; *at + 4 <= s.len; (*at)++) {
		if (s.data[*at] != '{' || s.data[*at + 1] != '{')
			continue;
		name->data = s.data + *at + 2;
		end = memmem(name->data, s.len - *at - 2, "}}", 2);
		if (end == NULL)
			return false;
		name->len = (size_t)(end - name->data);
		if (vars_is_name(*name))
			return true;
	}
	return false;
}

static const struct jv *
as_literal(struct arena *a, const struct jv *value, enum vars_layer layer)
{
	struct jv *copy;

	if (layer == VARS_ROW || value->literal)
		return value;
	copy = mem_new(a, sizeof(*copy));
	*copy = *value;
	copy->literal = true;
	return copy;
}

static bool
fill_text(struct arena *a, const struct vars *vars, struct span text,
    struct span *out, bool *literal, struct span *undefined)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	const struct jv *value;
	enum vars_layer layer;
	struct span name;
	size_t at = 0, from = 0;

	while (next_mark(text, &at, &name)) {
		value = vars_get(vars, name, &layer);
		if (value == NULL) {
			*undefined = mem_span(a, name);
			buf_release(&b);
			return false;
		}
		*literal = *literal || layer != VARS_ROW;
		buf_add(&b, text.data + from, at - from);
		if (value->kind == JV_STRING)
			buf_add(&b, value->text.data, value->text.len);
		else
			jv_write(&b, value);
		at += name.len + 4;
		from = at;
	}
	buf_add(&b, text.data + from, text.len - from);
	*out = mem_take(a, &b);
	return true;
}

static const struct jv *
fill_string(struct arena *a, const struct vars *vars, const struct jv *s,
    struct span *undefined)
{
	const struct jv *value;
	enum vars_layer layer;
	struct span name;
	struct jv *copy;
	size_t at = 0;

	if (!next_mark(s->text, &at, &name))
		return s;
	if (at == 0 && name.len + 4 == s->text.len) {
		value = vars_get(vars, name, &layer);
		if (value == NULL)
			*undefined = mem_span(a, name);
		return value == NULL ? NULL : as_literal(a, value, layer);
	}
	copy = mem_new(a, sizeof(*copy));
	*copy = *s;
	if (!fill_text(a, vars, s->text, &copy->text, &copy->literal,
		undefined))
		return NULL;
	return copy;
}

static bool
fill_name(struct arena *a, const struct vars *vars, struct span *name,
    struct span *undefined)
{
	struct span mark;
	size_t at = 0;
	bool literal = false;

	return !next_mark(*name, &at, &mark) ||
	    fill_text(a, vars, *name, name, &literal, undefined);
}

const struct jv *
vars_fill(struct arena *a, const struct vars *vars, const struct jv *tree,
    struct span *undefined)
{
	struct jv *copy = NULL;
	const struct jv *item;
	struct span name;
	size_t i;

	if (tree->kind == JV_STRING)
		return fill_string(a, vars, tree, undefined);
	for (i = 0; i < tree->count; i++) {
		item = vars_fill(a, vars, tree->items[i], undefined);
		if (item == NULL)
			return NULL;
		name = tree->kind == JV_OBJECT ? tree->names[i] : SPAN_NONE;
		if (!fill_name(a, vars, &name, undefined))
			return NULL;
		if (copy == NULL && item == tree->items[i] &&
		    (tree->kind != JV_OBJECT ||
			name.data == tree->names[i].data))
			continue;
		if (copy == NULL)
			copy = (struct jv *)(uintptr_t)jv_replace(a, tree, i,
			    item);
		copy->items[i] = item;
		if (tree->kind == JV_OBJECT)
			copy->names[i] = name;
	}
	return copy == NULL ? tree : copy;
}
