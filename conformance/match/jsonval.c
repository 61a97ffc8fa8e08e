/*
 * The tree, its parser and its writer.  Arrays and objects are collected in
 * growing lists and copied into the arena when they close.
 */
#include "jsonval.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "json/jsonout.h"
#include "mem.h"

#define DEPTH_MAX 600

struct jv_reader {
	struct arena *arena;
	struct span text;
	size_t at;
	size_t line_at; /* how far `line` has counted */
	unsigned line, depth;
	bool unique;
	struct jv_error *error;
};

static const struct jv *read_value(struct jv_reader *r);

static struct jv *
make(struct arena *a, enum jv_kind kind)
{
	struct jv *v = mem_new(a, sizeof(*v));

	v->kind = kind;
	return v;
}

const struct jv *
jv_null(struct arena *a)
{
	return make(a, JV_NULL);
}

const struct jv *
jv_bool(struct arena *a, bool truth)
{
	struct jv *v = make(a, JV_BOOL);

	v->truth = truth;
	return v;
}

const struct jv *
jv_string(struct arena *a, struct span text)
{
	struct jv *v = make(a, JV_STRING);

	v->text = mem_span(a, text);
	return v;
}

const struct jv *
jv_cstring(struct arena *a, const char *text)
{
	return jv_string(a, span_of(text));
}

const struct jv *
jv_number(struct arena *a, const char *text)
{
	struct jv *v = make(a, JV_NUMBER);

	v->text = mem_span(a, span_of(text));
	return v;
}

const struct jv *
jv_array(struct arena *a, const struct jv **items, size_t count)
{
	struct jv *v = make(a, JV_ARRAY);

	v->items = items;
	v->count = count;
	return v;
}

const struct jv *
jv_object(struct arena *a, struct span *names, const struct jv **items,
    size_t count)
{
	struct jv *v = make(a, JV_OBJECT);

	v->names = names;
	v->items = items;
	v->count = count;
	return v;
}

/* ---- reading ------------------------------------------------------------ */

static const struct jv *
fault(struct jv_reader *r, const char *msg)
{
	if (r->error->msg == NULL) {
		r->error->msg = msg;
		r->error->offset = r->at;
	}
	return NULL;
}

static unsigned
line_here(struct jv_reader *r)
{
	for (; r->line_at < r->at; r->line_at++)
		if (r->text.data[r->line_at] == '\n')
			r->line++;
	return r->line;
}

static void
skip_blanks(struct jv_reader *r)
{
	while (r->at < r->text.len && r->text.data[r->at] != '\0' &&
	    strchr(" \t\r\n", r->text.data[r->at]) != NULL)
		r->at++;
}

static char
peek(const struct jv_reader *r)
{
	return r->at < r->text.len ? r->text.data[r->at] : '\0';
}

static bool
read_hex4(struct jv_reader *r, uint32_t *code)
{
	size_t i;

	if (r->text.len - r->at < 4)
		return false;
	*code = 0;
	for (i = 0; i < 4; i++) {
		int digit = text_hex_value(r->text.data[r->at + i]);

		if (digit < 0)
			return false;
		*code = *code * 16 + (uint32_t)digit;
	}
	r->at += 4;
	return true;
}

/* After "\u". */
static bool
read_unicode(struct jv_reader *r, struct buf *out)
{
	uint32_t code, low;
	char bytes[4];
	size_t back;

	if (!read_hex4(r, &code))
		return false;
	if (code >= 0xD800 && code < 0xDC00 && r->text.len - r->at >= 6 &&
	    r->text.data[r->at] == '\\' && r->text.data[r->at + 1] == 'u') {
		back = r->at;
		r->at += 2;
		if (!read_hex4(r, &low))
			return false;
		if (low >= 0xDC00 && low < 0xE000)
			code = 0x10000 + ((code - 0xD800) << 10) +
			    (low - 0xDC00);
		else
			r->at = back;
	}
	buf_add(out, bytes, utf8_put(bytes, code));
	return true;
}

static bool
read_escape(struct jv_reader *r, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = peek(r);
	const char *found;

	if (r->at >= r->text.len)
		return false;
	r->at++;
	if (c == 'u')
		return read_unicode(r, out);
	found = c == '\0' ? NULL : strchr(from, c);
	if (found == NULL)
		return false;
	buf_addc(out, to[found - from]);
	return true;
}

static bool
read_text(struct jv_reader *r, struct span *out)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	size_t start;

	r->at++; /* the quote */
	for (;;) {
		start = r->at;
		while (r->at < r->text.len && r->text.data[r->at] != '"' &&
		    r->text.data[r->at] != '\\' &&
		    (unsigned char)r->text.data[r->at] >= 0x20)
			r->at++;
		buf_add(&b, r->text.data + start, r->at - start);
		if (r->at >= r->text.len) {
			fault(r, "a string does not end");
			break;
		}
		if (r->text.data[r->at] == '"') {
			r->at++;
			*out = mem_take(r->arena, &b);
			return true;
		}
		if (r->text.data[r->at] != '\\') {
			fault(r, "a control character in a string");
			break;
		}
		r->at++;
		if (!read_escape(r, &b)) {
			fault(r, "not an escape");
			break;
		}
	}
	buf_release(&b);
	return false;
}

static bool
read_digits(struct jv_reader *r)
{
	size_t start = r->at;

	while (text_is_digit(peek(r)))
		r->at++;
	return r->at > start;
}

static const struct jv *
read_number(struct jv_reader *r)
{
	size_t start = r->at;
	struct jv *v;

	if (peek(r) == '-')
		r->at++;
	if (peek(r) == '0')
		r->at++;
	else if (!read_digits(r))
		return fault(r, "no value");
	if (peek(r) == '.') {
		r->at++;
		if (!read_digits(r))
			return fault(r, "not a number");
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (!read_digits(r))
			return fault(r, "not a number");
	}
	v = make(r->arena, JV_NUMBER);
	v->text = mem_span(r->arena,
	    (struct span){r->text.data + start, r->at - start});
	return v;
}

static const struct jv *
read_word(struct jv_reader *r)
{
	static const char *const words[] = {"null", "false", "true"};
	size_t i, len;

	for (i = 0; i < 3; i++) {
		len = strlen(words[i]);
		if (r->text.len - r->at >= len &&
		    memcmp(r->text.data + r->at, words[i], len) == 0) {
			r->at += len;
			return i == 0 ? jv_null(r->arena)
				      : jv_bool(r->arena, i == 2);
		}
	}
	return fault(r, "no value");
}

struct members {
	const struct jv **items;
	struct span *names;
	size_t count;
};

static void
members_add(struct members *m, struct span name, const struct jv *value)
{
	m->items = mem_grow(m->items, m->count, sizeof(*m->items));
	m->names = mem_grow(m->names, m->count, sizeof(*m->names));
	m->items[m->count] = value;
	m->names[m->count++] = name;
}

/* Where name stands already, or m->count. */
static size_t
members_find(const struct members *m, struct span name)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (span_equal(m->names[i], name))
			break;
	return i;
}

static const struct jv *
members_close(struct jv_reader *r, struct members *m, bool object)
{
	struct jv *v = make(r->arena, object ? JV_OBJECT : JV_ARRAY);

	v->count = m->count;
	v->items = mem_array(r->arena, m->count, sizeof(*v->items));
	if (m->count > 0)
		memcpy(v->items, m->items, m->count * sizeof(*v->items));
	if (object) {
		v->names = mem_array(r->arena, m->count, sizeof(*v->names));
		if (m->count > 0)
			memcpy(v->names, m->names,
			    m->count * sizeof(*v->names));
	}
	return v;
}

/* One member of an object, or one item of an array. */
static bool
read_member(struct jv_reader *r, struct members *m, bool object)
{
	struct span name = SPAN_NONE;
	const struct jv *value;
	size_t i;

	skip_blanks(r);
	if (object) {
		if (peek(r) != '"')
			return fault(r, "no member name") != NULL;
		if (!read_text(r, &name))
			return false;
		skip_blanks(r);
		if (peek(r) != ':')
			return fault(r, "no ':' after a name") != NULL;
		r->at++;
		skip_blanks(r);
	}
	value = read_value(r);
	if (value == NULL)
		return false;
	i = object ? members_find(m, name) : m->count;
	if (i == m->count) {
		members_add(m, name, value);
	} else if (r->unique) {
		r->error->name = name;
		return fault(r, "a member stands twice") != NULL;
	} else {
		m->items[i] = value;
	}
	return true;
}

static const struct jv *
read_container(struct jv_reader *r, bool object)
{
	char close = object ? '}' : ']';
	struct members m = {NULL, NULL, 0};
	const struct jv *v = NULL;

	if (++r->depth > DEPTH_MAX)
		return fault(r, "nested too deep");
	r->at++;
	skip_blanks(r);
	if (peek(r) == close) {
		r->at++;
		v = members_close(r, &m, object);
	}
	while (v == NULL && read_member(r, &m, object)) {
		skip_blanks(r);
		if (peek(r) == ',') {
			r->at++;
		} else if (peek(r) == close) {
			r->at++;
			v = members_close(r, &m, object);
		} else {
			fault(r, "no ',' and no closing bracket");
			break;
		}
	}
	free(m.items);
	free(m.names);
	r->depth--;
	return v;
}

static const struct jv *
read_value(struct jv_reader *r)
{
	unsigned line = line_here(r);
	const struct jv *v;
	struct jv *s;

	switch (peek(r)) {
	case '{':
		v = read_container(r, true);
		break;
	case '[':
		v = read_container(r, false);
		break;
	case '"':
		s = make(r->arena, JV_STRING);
		v = read_text(r, &s->text) ? s : NULL;
		break;
	case 'n':
	case 't':
	case 'f':
		v = read_word(r);
		break;
	default:
		v = read_number(r);
	}
	if (v != NULL)
		((struct jv *)(uintptr_t)v)->line = line;
	return v;
}

const struct jv *
jv_parse(struct arena *a, struct span text, bool unique,
    struct jv_error *error)
{
	struct jv_reader r = {.arena = a, .text = text, .line = 1,
	    .unique = unique, .error = error};
	const struct jv *v = NULL;

	*error = (struct jv_error){.msg = NULL};
	if (!utf8_valid(text, false)) {
		fault(&r, "not UTF-8");
	} else {
		skip_blanks(&r);
		v = read_value(&r);
		skip_blanks(&r);
		if (v != NULL && r.at < text.len)
			v = fault(&r, "something follows the value");
	}
	error->line = line_here(&r);
	return v;
}

/* ---- looking ------------------------------------------------------------ */

const struct jv *
jv_get_span(const struct jv *object, struct span name)
{
	size_t i;

	if (object == NULL || object->kind != JV_OBJECT)
		return NULL;
	for (i = 0; i < object->count; i++)
		if (span_equal(object->names[i], name))
			return object->items[i];
	return NULL;
}

const struct jv *
jv_get(const struct jv *object, const char *name)
{
	return jv_get_span(object, span_of(name));
}

const char *
jv_text(const struct jv *value)
{
	return value != NULL && value->kind == JV_STRING ? value->text.data
							 : NULL;
}

/* One step of a pointer: which member of v it names; v->count when it is
 * the place behind the last item, SIZE_MAX when there is no such place. */
static size_t
step(const struct jv *v, struct span token)
{
	char name[256];
	size_t i, n = 0;
	int64_t index;

	if (v->kind == JV_ARRAY) {
		if (span_is(token, "-"))
			return v->count;
		if (!text_to_int64(token, 0, 1 << 20, &index) ||
		    (size_t)index > v->count)
			return SIZE_MAX;
		return (size_t)index;
	}
	if (v->kind != JV_OBJECT)
		return SIZE_MAX;
	for (i = 0; i < token.len && n < sizeof(name); i++) {
		name[n] = token.data[i];
		if (name[n] == '~' && i + 1 < token.len)
			name[n] = token.data[++i] == '1' ? '/' : '~';
		n++;
	}
	for (i = 0; i < v->count; i++)
		if (span_equal(v->names[i], (struct span){name, n}))
			return i;
	return v->count;
}

/* Cuts the first token off a pointer; false when there is none. */
static bool
next_token(struct span *pointer, struct span *token)
{
	struct span rest;

	if (pointer->len == 0 || pointer->data[0] != '/')
		return false;
	rest = (struct span){pointer->data + 1, pointer->len - 1};
	*token = rest;
	while (rest.len > 0 && rest.data[0] != '/') {
		rest.data++;
		rest.len--;
	}
	token->len -= rest.len;
	*pointer = rest;
	return true;
}

void
jv_pointer_part(struct buf *out, struct span name)
{
	size_t i;

	buf_addc(out, '/');
	for (i = 0; i < name.len; i++) {
		if (name.data[i] == '~')
			buf_adds(out, "~0");
		else if (name.data[i] == '/')
			buf_adds(out, "~1");
		else
			buf_addc(out, name.data[i]);
	}
}

const struct jv *
jv_find(const struct jv *root, struct span pointer)
{
	struct span token;
	size_t i;

	while (root != NULL && pointer.len > 0) {
		if (!next_token(&pointer, &token))
			return NULL;
		i = step(root, token);
		root = i < root->count ? root->items[i] : NULL;
	}
	return root;
}

/* ---- changing: always a new tree ---------------------------------------- */

const struct jv *
jv_replace(struct arena *a, const struct jv *root, size_t i,
    const struct jv *value)
{
	struct jv *v = make(a, root->kind);
	size_t n = root->count - (value == NULL), j, k;

	*v = *root;
	v->count = n;
	v->items = mem_array(a, n, sizeof(*v->items));
	if (root->kind == JV_OBJECT)
		v->names = mem_array(a, n, sizeof(*v->names));
	for (j = k = 0; j < root->count; j++) {
		if (j == i && value == NULL)
			continue;
		v->items[k] = j == i ? value : root->items[j];
		if (root->kind == JV_OBJECT)
			v->names[k] = root->names[j];
		k++;
	}
	return v;
}

const struct jv *
jv_append(struct arena *a, const struct jv *root, const char *name,
    const struct jv *value)
{
	struct jv *v = make(a, root->kind);
	size_t n = root->count;

	*v = *root;
	v->count = n + 1;
	v->items = mem_array(a, n + 1, sizeof(*v->items));
	if (n > 0)
		memcpy(v->items, root->items, n * sizeof(*v->items));
	v->items[n] = value;
	if (root->kind == JV_OBJECT) {
		v->names = mem_array(a, n + 1, sizeof(*v->names));
		if (n > 0)
			memcpy(v->names, root->names, n * sizeof(*v->names));
		v->names[n] = mem_span(a, span_of(name));
	}
	return v;
}

const struct jv *
jv_with(struct arena *a, const struct jv *root, struct span pointer,
    const struct jv *value)
{
	struct span token;
	const struct jv *child;
	size_t i;

	if (pointer.len == 0)
		return value;
	if (root == NULL || !next_token(&pointer, &token))
		return NULL;
	i = step(root, token);
	if (i == SIZE_MAX || (i == root->count && pointer.len > 0))
		return NULL;
	if (i == root->count)
		return value == NULL
		    ? NULL
		    : jv_append(a, root,
			  mem_span(a, token).data, value);
	if (pointer.len == 0)
		return jv_replace(a, root, i, value);
	child = jv_with(a, root->items[i], pointer, value);
	return child == NULL ? NULL : jv_replace(a, root, i, child);
}

/* ---- comparing ---------------------------------------------------------- */

bool
jv_is_int(const struct jv *value)
{
	size_t i;

	if (value == NULL || value->kind != JV_NUMBER)
		return false;
	for (i = 0; i < value->text.len; i++)
		if (strchr(".eE", value->text.data[i]) != NULL)
			return false;
	return true;
}

static bool
number_equal(const struct jv *a, const struct jv *b)
{
	if (span_equal(a->text, b->text))
		return true;
	/* Doubles cannot tell long integers apart; their digits can. */
	if (jv_is_int(a) && jv_is_int(b))
		return strtold(a->text.data, NULL) == 0.0L &&
		    strtold(b->text.data, NULL) == 0.0L;
	return strtold(a->text.data, NULL) == strtold(b->text.data, NULL);
}

bool
jv_equal(const struct jv *a, const struct jv *b)
{
	const struct jv *other;
	size_t i;

	if (a->kind != b->kind || a->count != b->count)
		return false;
	switch (a->kind) {
	case JV_NULL:
		return true;
	case JV_BOOL:
		return a->truth == b->truth;
	case JV_NUMBER:
		return number_equal(a, b);
	case JV_STRING:
		return span_equal(a->text, b->text);
	case JV_ARRAY:
		for (i = 0; i < a->count; i++)
			if (!jv_equal(a->items[i], b->items[i]))
				return false;
		return true;
	case JV_OBJECT:
		for (i = 0; i < a->count; i++) {
			other = jv_get_span(b, a->names[i]);
			if (other == NULL || !jv_equal(a->items[i], other))
				return false;
		}
		return true;
	}
	return false;
}

/* ---- writing ------------------------------------------------------------ */

void
jv_write(struct buf *out, const struct jv *value)
{
	size_t i;

	switch (value->kind) {
	case JV_NULL:
		buf_adds(out, "null");
		break;
	case JV_BOOL:
		buf_adds(out, value->truth ? "true" : "false");
		break;
	case JV_NUMBER:
		buf_add(out, value->text.data, value->text.len);
		break;
	case JV_STRING:
		jsonout_string(out, value->text);
		break;
	case JV_ARRAY:
	case JV_OBJECT:
		buf_addc(out, value->kind == JV_ARRAY ? '[' : '{');
		for (i = 0; i < value->count; i++) {
			if (i > 0)
				buf_addc(out, ',');
			if (value->kind == JV_OBJECT) {
				jsonout_string(out, value->names[i]);
				buf_addc(out, ':');
			}
			jv_write(out, value->items[i]);
		}
		buf_addc(out, value->kind == JV_ARRAY ? ']' : '}');
	}
}

char *
jv_show(struct arena *a, const struct jv *value, size_t max)
{
	struct buf b = BUF_INIT(MEM_TEXT_MAX);
	struct span text, head;

	if (value == NULL)
		return mem_strdup(a, "(absent)");
	jv_write(&b, value);
	text = mem_take(a, &b);
	if (text.len <= max)
		return (char *)(uintptr_t)text.data;
	head = text;
	head.len = max;
	while (head.len > 0 &&
	    ((unsigned char)text.data[head.len] & 0xC0) == 0x80)
		head.len--;
	return mem_printf(a, "%.*s...", (int)head.len, head.data);
}
