/*
 * The values of a bot's input form.  Each kind of control has one function
 * that checks a value and writes it, once as JSON and once as text.
 */
#include "messagesapi/form_inputs.h"

#include <string.h>

#include "auth/caller.h"
#include "base/utf8.h"
#include "config/config.h"
#include "json/jsonout.h"
#include "messagesapi/parse.h"

#define JSON_MAX (16U * 1024U * 1024U)

struct form_reading {
	struct exchange *x;
	struct db *db;
	int64_t end_user;
	struct chat_files *files;
	struct form_inputs *out;
	struct buf json;
	const char *why;
	enum err err;
};

/* The value is wrong: "VARIABLE in input form REST". */
static void
refuse(struct form_reading *r, const char *prefix,
    const struct form_control *control, const char *rest)
{
	r->why = arena_printf(r->x->request.arena, "%s%s in input form %s",
	    prefix, control->variable, rest);
	r->err = r->why == NULL ? ERR_MEMORY : ERR_INPUT;
}

/* Keeps a value: its text, and its JSON, which the caller has appended. */
static void
keep(struct form_reading *r, const struct form_control *control,
    struct span text)
{
	struct turn_input *value = &r->out->values[r->out->n++];

	value->name = control->variable;
	value->text = text;
	if (text.data == NULL)
		r->err = ERR_MEMORY;
}

static bool
is_kind(const struct form_control *control, const char *kind)
{
	return strcmp(control->kind, kind) == 0;
}

/* ['a', 'b'], as Python prints a list of texts. */
static const char *
options_text(struct form_reading *r, const struct config_list *options)
{
	struct buf text = BUF_INIT(64 * 1024);
	const char *copy;
	size_t i;

	buf_addc(&text, '[');
	for (i = 0; i < options->n; i++)
		buf_printf(&text,
		    strchr(options->items[i], '\'') != NULL &&
			    strchr(options->items[i], '"') == NULL
			? "%s\"%s\""
			: "%s'%s'",
		    i == 0 ? "" : ", ", options->items[i]);
	buf_addc(&text, ']');
	copy = arena_printf(r->x->request.arena, "must be one of the "
						 "following: %s",
	    buf_text(&text));
	buf_release(&text);
	return copy;
}

static void
read_text(struct form_reading *r, const struct form_control *control,
    struct span text)
{
	const char *rest;
	size_t i;

	text = parse_without_nul(r->x->request.arena, text);
	if (control->max_length > 0 && !is_kind(control, "select") &&
	    utf8_length(text) > (size_t)control->max_length) {
		rest = arena_printf(r->x->request.arena,
		    "must be less than %lld characters",
		    (long long)control->max_length);
		refuse(r, "", control, rest == NULL ? "" : rest);
		return;
	}
	if (is_kind(control, "select")) {
		for (i = 0; i < control->options.n; i++)
			if (span_is(text, control->options.items[i]))
				break;
		if (i == control->options.n) {
			rest = options_text(r, &control->options);
			refuse(r, "", control, rest == NULL ? "" : rest);
			return;
		}
	}
	jsonout_member(&r->json, control->variable, text);
	keep(r, control, text);
}

/* Digits with an optional sign, point and exponent, as JSON writes them. */
static bool
is_number_text(struct span text)
{
	size_t i = 0, digits = 0;

	if (i < text.len && (text.data[i] == '-' || text.data[i] == '+'))
		i++;
	for (; i < text.len && text_is_digit(text.data[i]); i++)
		digits++;
	if (i < text.len && text.data[i] == '.')
		for (i++; i < text.len && text_is_digit(text.data[i]); i++)
			digits++;
	return digits > 0 && digits <= 300 && i == text.len;
}

/* A number in text; a dot makes it a float, as Python would have it. */
static void
read_number_text(struct form_reading *r, const struct form_control *control,
    struct span text)
{
	struct arena *arena = r->x->request.arena;
	const struct pyjson *value = NULL;
	const char *number;

	text = span_trim(text);
	if (!is_number_text(text)) {
		refuse(r, "", control, "must be a valid number");
		return;
	}
	if (text.data[0] == '+') {
		text.data++;
		text.len--;
	}
	/* "5." and ".5" are numbers in Python but not in JSON. */
	number = arena_printf(arena, "%s%.*s%s",
	    text.data[0] == '.' ? "0" : "", (int)text.len, text.data,
	    text.data[text.len - 1] == '.' ? "0" : "");
	if (number == NULL || pyjson_decode(arena, span_of(number), NULL,
				  &value, NULL) == ERR_MEMORY) {
		r->err = ERR_MEMORY;
		return;
	}
	if (value == NULL) { /* "007", "-.5" */
		refuse(r, "", control, "must be a valid number");
		return;
	}
	jsonout_name(&r->json, control->variable);
	pyjson_write(&r->json, value);
	keep(r, control, span_of(number));
}

static void
read_checkbox(struct form_reading *r, const struct form_control *control,
    bool on)
{
	jsonout_member_bool(&r->json, control->variable, on);
	keep(r, control, on ? SPAN("true") : SPAN("false"));
}

static bool
add_file(struct form_reading *r, const struct form_control *control,
    const struct pyjson *file, const char *rest)
{
	const char *why = NULL;

	if (!pyjson_is_object(file)) {
		refuse(r, "", control, rest);
		return false;
	}
	r->err = chat_files_add(r->x, r->db, r->end_user, file, true,
	    r->files, &why);
	if (r->err == ERR_INPUT)
		r->why = why;
	return r->err == ERR_NONE;
}

static void
read_files(struct form_reading *r, const struct form_control *control,
    const struct pyjson *value)
{
	struct pyjson_iter it = pyjson_iter(value);
	const struct pyjson *file;
	const char *rest;

	if (is_kind(control, "file")) {
		if (!add_file(r, control, value, "must be a file"))
			return;
	} else {
		if (!pyjson_is_array(value)) {
			refuse(r, "", control, "must be a list of files");
			return;
		}
		if (control->max_length > 0 &&
		    pyjson_count(value) > (size_t)control->max_length) {
			rest = arena_printf(r->x->request.arena,
			    "must be less than %lld files",
			    (long long)control->max_length);
			refuse(r, "", control, rest == NULL ? "" : rest);
			return;
		}
		while (pyjson_next(&it, NULL, &file))
			if (!add_file(r, control, file,
				"must be a list of files"))
				return;
	}
	jsonout_name(&r->json, control->variable);
	pyjson_write(&r->json, value);
}

static void
read_number(struct form_reading *r, const struct form_control *control,
    const struct pyjson *value)
{
	enum pyjson_kind kind = pyjson_kind(value);

	if (kind == PYJSON_STRING) {
		read_number_text(r, control, pyjson_string(value));
	} else if (kind == PYJSON_INT || kind == PYJSON_FLOAT) {
		jsonout_name(&r->json, control->variable);
		pyjson_write(&r->json, value);
		keep(r, control, pyjson_number(value));
	} else {
		refuse(r, "", control, "must be a valid number");
	}
}

static void
read_value(struct form_reading *r, const struct form_control *control,
    const struct pyjson *value)
{
	const char *prefix;
	bool on;

	if (is_kind(control, "number")) {
		read_number(r, control, value);
	} else if (is_kind(control, "checkbox")) {
		if (parse_bool(value, &on))
			read_checkbox(r, control, on);
		else
			refuse(r, "", control, "must be a valid boolean");
	} else if (span_starts(span_of(control->kind), "file")) {
		read_files(r, control, value);
	} else if (!pyjson_is_string(value)) {
		prefix = arena_printf(r->x->request.arena, "(type '%s') ",
		    control->kind);
		refuse(r, prefix == NULL ? "" : prefix, control,
		    "must be a string");
	} else {
		read_text(r, control, pyjson_string(value));
	}
}

/* Absent or null: required, or its default, or nothing. */
static void
read_absent(struct form_reading *r, const struct form_control *control)
{
	bool on;

	if (control->required) {
		r->why = arena_printf(r->x->request.arena,
		    "%s is required in input form", control->variable);
		r->err = r->why == NULL ? ERR_MEMORY : ERR_INPUT;
	} else if (control->fallback == NULL) {
		return;
	} else if (is_kind(control, "number")) {
		read_number_text(r, control, span_of(control->fallback));
	} else if (is_kind(control, "checkbox")) {
		if (parse_bool_text(span_of(control->fallback), &on))
			read_checkbox(r, control, on);
	} else {
		jsonout_member_cstring(&r->json, control->variable,
		    control->fallback);
		keep(r, control, span_of(control->fallback));
	}
}

enum err
form_inputs_read(struct exchange *x, struct db *db, int64_t end_user,
    const struct pyjson *inputs, struct chat_files *files,
    struct form_inputs *out, const char **why)
{
	const struct bot_config *bot = x->caller->bot;
	struct form_reading r = {.x = x,
	    .db = db,
	    .end_user = end_user,
	    .files = files,
	    .out = out,
	    .json = BUF_INIT(JSON_MAX)};
	const struct pyjson *value;
	size_t i;

	*out = (struct form_inputs){0};
	out->values = arena_array(x->request.arena, bot->n_form,
	    sizeof(*out->values));
	if (out->values == NULL)
		return ERR_MEMORY;
	buf_addc(&r.json, '{');
	for (i = 0; i < bot->n_form && r.err == ERR_NONE; i++) {
		value = pyjson_get(inputs, bot->form[i].variable);
		if (pyjson_given(value))
			read_value(&r, &bot->form[i], value);
		else
			read_absent(&r, &bot->form[i]);
	}
	buf_addc(&r.json, '}');
	if (r.err == ERR_NONE)
		r.err = buf_err(&r.json);
	if (r.err == ERR_NONE) {
		out->json.data = arena_strndup(x->request.arena, r.json.data,
		    r.json.len);
		out->json.len = r.json.len;
		if (out->json.data == NULL)
			r.err = ERR_MEMORY;
	}
	buf_release(&r.json);
	*why = r.why;
	return r.err;
}

/* The value of {{name}}; NULL when there is none. */
static const struct turn_input *
find_input(const struct form_inputs *inputs, struct span name)
{
	size_t i;

	for (i = 0; i < inputs->n; i++)
		if (span_is(name, inputs->values[i].name))
			return &inputs->values[i];
	return NULL;
}

struct span
form_inputs_fill(struct arena *arena, const char *text,
    const struct form_inputs *inputs)
{
	struct buf filled = BUF_INIT(JSON_MAX);
	const struct turn_input *input;
	const char *mark, *end;
	struct span out = SPAN_NONE;

	while ((mark = strstr(text, "{{")) != NULL) {
		end = strstr(mark, "}}");
		if (end == NULL)
			break;
		input = find_input(inputs,
		    span_trim((struct span){mark + 2,
			(size_t)(end - mark) - 2}));
		if (input == NULL)
			end = mark + 1; /* the next mark may begin inside */
		else
			end += 2;
		buf_add(&filled, text,
		    (size_t)((input == NULL ? end : mark) - text));
		if (input != NULL)
			buf_add(&filled, input->text.data, input->text.len);
		text = end;
	}
	buf_adds(&filled, text);
	if (buf_err(&filled) == ERR_NONE) {
		out.data = arena_strndup(arena, buf_text(&filled), filled.len);
		out.len = out.data == NULL ? 0 : filled.len;
	}
	buf_release(&filled);
	return out;
}
