/*
 * The decoder: one loop over the text with a bit for each open bracket, run
 * twice.  The first run finds every fault and counts the values; then the
 * array for exactly that many is made, and the second run fills it.  So
 * there is no growing, no waste, and nothing to undo after a fault.
 *
 * An object's names are compared when it closes: each with each while they
 * are few, through a hash table keyed with random bytes when they are many,
 * because a client may choose names that collide.
 */
#include "json/pyjson.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/uuid.h"
#include "json/pyjson_node.h"

#define FEW_NAMES 8U

const struct pyjson_limits pyjson_limits_python = {
    .depth = PYJSON_DEPTH_MAX,
    .int_digits = 4300,
};

struct reader {
	const char *text;
	size_t len, at;
	struct pyjson_limits limits;

	enum err err;
	const char *fault; /* static text, for ERR_SYNTAX */
	size_t fault_at;   /* in bytes */

	size_t depth;
	uint8_t objects[(PYJSON_DEPTH_MAX + 8) / 8]; /* by depth: 1 object */

	size_t n;             /* nodes so far */
	size_t escaped;       /* bytes of strings with escapes, at most */
	struct pyjson *nodes; /* NULL in the first run */
	char *pool;           /* where strings with escapes are written */
	size_t open;          /* the innermost open container */

	bool keyed;
	uint64_t key[2];
};

/* ---- faults, blanks, nodes --------------------------------------------- */

static bool
fault(struct reader *r, const char *msg, size_t at)
{
	r->err = ERR_SYNTAX;
	r->fault = msg;
	r->fault_at = at;
	return false;
}

static bool
too_big(struct reader *r)
{
	r->err = ERR_TOO_BIG;
	return false;
}

static int
peek(const struct reader *r)
{
	return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->len) {
		char c = r->text[r->at];

		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return;
		r->at++;
	}
}

/* Counts a node; the second run gets it to fill in. */
static bool
add_node(struct reader *r, enum pyjson_kind kind, const char *text, size_t len)
{
	if (r->limits.nodes != 0 && r->n >= r->limits.nodes)
		return too_big(r);
	if (r->nodes != NULL) {
		r->nodes[r->n].tag = (uint8_t)kind;
		r->nodes[r->n].len = (uint32_t)len;
		r->nodes[r->n].u.text = text;
	}
	r->n++;
	return true;
}

/* ---- strings ----------------------------------------------------------- */

#define EACH_BYTE(b) (UINT64_MAX / 255U * (uint64_t)(b))
#define ZERO_BYTES(w) (((w) - EACH_BYTE(0x01)) & ~(w) & EACH_BYTE(0x80))

/* Moves to the next quote, backslash or control character, eight bytes at a
 * time: text is mostly none of them. */
static void
skip_plain(struct reader *r)
{
	const char *text = r->text;
	size_t at = r->at, len = r->len;

	while (len - at >= 8) {
		uint64_t w;

		memcpy(&w, text + at, sizeof(w));
		if ((ZERO_BYTES(w ^ EACH_BYTE('"')) |
		        ZERO_BYTES(w ^ EACH_BYTE('\\')) |
		        ((w - EACH_BYTE(0x20)) & ~w & EACH_BYTE(0x80))) != 0)
			break;
		at += 8;
	}
	while (at < len) {
		unsigned char c = (unsigned char)text[at];

		if (c == '"' || c == '\\' || c < 0x20)
			break;
		at++;
	}
	r->at = at;
}

/* The four hex digits behind the u at `u`; one more character must follow,
 * as CPython's reader wants it. */
static bool
read_hex4(struct reader *r, size_t u, uint32_t *code)
{
	size_t i;

	if (r->len - u <= 5)
		return fault(r, "Invalid \\uXXXX escape", u);
	*code = 0;
	for (i = u + 1; i <= u + 4; i++) {
		int digit = text_hex_value(r->text[i]);

		if (digit < 0)
			return fault(r, "Invalid \\uXXXX escape", u);
		*code = *code << 4 | (uint32_t)digit;
	}
	return true;
}

/* The escape \uXXXX at r->at, with the second half of a pair. */
static bool
read_unicode_escape(struct reader *r, uint32_t *code)
{
	uint32_t low;

	if (!read_hex4(r, r->at + 1, code))
		return false;
	r->at += 6;
	if (*code < 0xD800 || *code > 0xDBFF || r->len - r->at < 2 ||
	    r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
		return true;
	if (!read_hex4(r, r->at + 1, &low))
		return false;
	if (low >= 0xDC00 && low <= 0xDFFF) {
		*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
		r->at += 6;
	}
	return true;
}

/* The escape at r->at.  *code is what it stands for. */
static bool
read_escape(struct reader *r, size_t quote, uint32_t *code)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;

	if (r->at + 1 >= r->len)
		return fault(r, "Unterminated string starting at", quote);
	if (r->text[r->at + 1] == 'u')
		return read_unicode_escape(r, code);
	known = memchr(from, r->text[r->at + 1], sizeof(from) - 1);
	if (known == NULL)
		return fault(r, "Invalid \\escape", r->at);
	*code = (unsigned char)to[known - from];
	r->at += 2;
	return true;
}

/* The rest of a string from its first escape on, copied to the pool in the
 * second run. */
static bool
read_escaped(struct reader *r, size_t quote, size_t start)
{
	char *out = r->pool, *begin = out;
	size_t plain = start;

	for (;;) {
		uint32_t code = 0;
		int c = peek(r);

		if (c < 0)
			return fault(r, "Unterminated string starting at",
			    quote);
		if (c < 0x20)
			return fault(r, "Invalid control character at", r->at);
		if (out != NULL && r->at > plain) {
			memcpy(out, r->text + plain, r->at - plain);
			out += r->at - plain;
		}
		if (c == '"')
			break;
		if (!read_escape(r, quote, &code))
			return false;
		if (out != NULL)
			out += utf8_put(out, code);
		plain = r->at;
		skip_plain(r);
	}
	r->escaped += r->at - start;
	r->at++;
	if (out == NULL)
		return add_node(r, PYJSON_STRING, NULL, 0);
	r->pool = out;
	return add_node(r, PYJSON_STRING, begin, (size_t)(out - begin));
}

/* A string whose opening quote is at r->at. */
static bool
read_string(struct reader *r)
{
	size_t quote = r->at++, start = r->at;

	skip_plain(r);
	if (peek(r) != '"')
		return read_escaped(r, quote, start);
	r->at++;
	return add_node(r, PYJSON_STRING, r->text + start, r->at - 1 - start);
}

/* ---- numbers and literals ---------------------------------------------- */

static size_t
skip_digits(struct reader *r)
{
	size_t start = r->at;

	while (r->at < r->len && text_is_digit(r->text[r->at]))
		r->at++;
	return r->at - start;
}

/* A fraction belongs to the number only if a digit follows the point. */
static bool
skip_fraction(struct reader *r)
{
	size_t start = r->at;

	if (peek(r) != '.')
		return false;
	r->at++;
	if (skip_digits(r) > 0)
		return true;
	r->at = start;
	return false;
}

static bool
skip_exponent(struct reader *r)
{
	size_t start = r->at;
	int c = peek(r);

	if (c != 'e' && c != 'E')
		return false;
	r->at++;
	c = peek(r);
	if (c == '+' || c == '-')
		r->at++;
	if (skip_digits(r) > 0)
		return true;
	r->at = start;
	return false;
}

static bool
read_number(struct reader *r)
{
	size_t start = r->at, digits = 1;
	bool fraction, exponent;

	if (peek(r) == '-')
		r->at++;
	if (peek(r) == '0')
		r->at++;
	else
		digits = skip_digits(r);
	if (digits == 0)
		return fault(r, "Expecting value", start);
	fraction = skip_fraction(r);
	exponent = skip_exponent(r);
	if (fraction || exponent)
		return add_node(r, PYJSON_FLOAT, r->text + start,
		    r->at - start);
	if (r->limits.int_digits != 0 && digits > r->limits.int_digits)
		return too_big(r);
	return add_node(r, PYJSON_INT, r->text + start, r->at - start);
}

static const struct {
	struct span text;
	enum pyjson_kind kind;
} literals[] = {
    {{"null", 4}, PYJSON_NULL},
    {{"true", 4}, PYJSON_TRUE},
    {{"false", 5}, PYJSON_FALSE},
    {{"NaN", 3}, PYJSON_FLOAT},
    {{"Infinity", 8}, PYJSON_FLOAT},
    {{"-Infinity", 9}, PYJSON_FLOAT},
};

/* A literal matches as a prefix; what follows is judged afterwards. */
static bool
read_scalar(struct reader *r)
{
	int c = peek(r);
	size_t i;

	if (c == '"')
		return read_string(r);
	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		struct span text = literals[i].text;

		if (c != text.data[0] || r->len - r->at < text.len ||
		    memcmp(r->text + r->at, text.data, text.len) != 0)
			continue;
		r->at += text.len;
		return add_node(r, literals[i].kind, r->text + r->at - text.len,
		    text.len);
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r);
	return fault(r, "Expecting value", r->at);
}

/* ---- names given more than once ---------------------------------------- */

static bool
same_name(const struct pyjson *a, const struct pyjson *b)
{
	return a->len == b->len && memcmp(a->u.text, b->u.text, a->len) == 0;
}

/* `again` is a later place of the name `first`: its value counts. */
static void
replace_member(struct pyjson *object, struct pyjson *first,
    struct pyjson *again)
{
	struct pyjson *value = first + 1;
	size_t span = node_span(value);

	again->dead = true;
	value->tag = NODE_MOVED;
	value->len = (uint32_t)span;
	value->u.moved = again + 1;
	object->len--;
}

static void
compare_few_names(struct pyjson *object, struct pyjson *end)
{
	struct pyjson *names[FEW_NAMES], *p;
	size_t n = 0, i;

	for (p = object + 1; p < end; p += 1 + node_span(p + 1)) {
		for (i = 0; i < n; i++)
			if (same_name(names[i], p))
				break;
		if (i == n)
			names[n++] = p;
		else
			replace_member(object, names[i], p);
	}
}

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein), as interpreters use it for this. */
static uint64_t
hash_name(const uint64_t key[2], const struct pyjson *name)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575U,
	    key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
	    key[1] ^ 0x7465646279746573U};
	size_t left = name->len;
	const char *p = name->u.text;
	uint64_t word, last = (uint64_t)name->len << 56;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, sizeof(word));
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = 0;
	memcpy(&word, p, left);
	last |= word;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xFF;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool
compare_many_names(struct reader *r, struct pyjson *object, struct pyjson *end)
{
	size_t size = 16, slot;
	struct pyjson *p;
	uint32_t *slots; /* the name's place behind object; 0 is free */

	if (!r->keyed && random_bytes(r->key, sizeof(r->key)) != ERR_NONE)
		r->key[0] = (uint64_t)(uintptr_t)object;
	r->keyed = true;
	while (size < object->len + (size_t)object->len / 2)
		size *= 2;
	slots = calloc(size, sizeof(*slots));
	if (slots == NULL) {
		r->err = ERR_MEMORY;
		return false;
	}
	for (p = object + 1; p < end; p += 1 + node_span(p + 1)) {
		slot = hash_name(r->key, p) & (size - 1);
		while (slots[slot] != 0 && !same_name(object + slots[slot], p))
			slot = (slot + 1) & (size - 1);
		if (slots[slot] == 0)
			slots[slot] = (uint32_t)(p - object);
		else
			replace_member(object, object + slots[slot], p);
	}
	free(slots);
	return true;
}

/* ---- arrays and objects ------------------------------------------------ */

static bool
in_object(const struct reader *r)
{
	return r->objects[r->depth / 8] >> (r->depth % 8) & 1;
}

static bool
open_container(struct reader *r, bool object)
{
	size_t parent = r->open;
	uint8_t bit = (uint8_t)(1U << ((r->depth + 1) % 8));

	if (r->depth == r->limits.depth)
		return too_big(r);
	if (!add_node(r, object ? PYJSON_OBJECT : PYJSON_ARRAY, NULL, 0))
		return false;
	r->at++;
	r->depth++;
	if (object)
		r->objects[r->depth / 8] |= bit;
	else
		r->objects[r->depth / 8] &= (uint8_t)~bit;
	if (r->nodes != NULL) {
		r->open = r->n - 1;
		r->nodes[r->open].u.nodes = parent; /* until it is closed */
	}
	return true;
}

static bool
close_container(struct reader *r)
{
	bool object = in_object(r);
	struct pyjson *v, *end;

	r->at++;
	r->depth--;
	if (r->nodes == NULL)
		return true;
	v = &r->nodes[r->open];
	end = &r->nodes[r->n];
	r->open = (size_t)v->u.nodes;
	v->u.nodes = (uint64_t)(end - v);
	if (!object || v->len < 2)
		return true;
	if (v->len > FEW_NAMES)
		return compare_many_names(r, v, end);
	compare_few_names(v, end);
	return true;
}

/* A member's name and its colon, up to where the value must begin. */
static bool
read_name(struct reader *r)
{
	if (peek(r) != '"')
		return fault(r,
		    "Expecting property name enclosed in double quotes",
		    r->at);
	if (!read_string(r))
		return false;
	skip_blanks(r);
	if (peek(r) != ':')
		return fault(r, "Expecting ':' delimiter", r->at);
	r->at++;
	skip_blanks(r);
	return true;
}

/* One more item or member in the innermost container; its name too. */
static bool
begin_item(struct reader *r)
{
	if (r->nodes != NULL)
		r->nodes[r->open].len++;
	return !in_object(r) || read_name(r);
}

/* After a value: closes what ends here; *more says whether another value
 * must follow. */
static bool
after_value(struct reader *r, bool *more)
{
	*more = false;
	while (r->depth > 0) {
		int c;

		skip_blanks(r);
		c = peek(r);
		if (c == ',') {
			r->at++;
			skip_blanks(r);
			*more = true;
			return begin_item(r);
		}
		if (c != (in_object(r) ? '}' : ']'))
			return fault(r, "Expecting ',' delimiter", r->at);
		if (!close_container(r))
			return false;
	}
	return true;
}

/* A value, or the opening of one up to its first item. */
static bool
read_value(struct reader *r, bool *more)
{
	int c = peek(r);

	*more = false;
	if (c != '[' && c != '{')
		return read_scalar(r);
	if (!open_container(r, c == '{'))
		return false;
	skip_blanks(r);
	if (peek(r) == (c == '{' ? '}' : ']'))
		return close_container(r);
	*more = true;
	return begin_item(r);
}

static bool
read_text(struct reader *r)
{
	bool more = true;

	r->at = r->n = r->depth = r->open = 0;
	skip_blanks(r);
	while (more) {
		if (!read_value(r, &more))
			return false;
		if (!more && !after_value(r, &more))
			return false;
	}
	skip_blanks(r);
	if (r->at < r->len)
		return fault(r, "Extra data", r->at);
	return true;
}

/* ---- the whole --------------------------------------------------------- */

static void
locate(const struct reader *r, struct pyjson_error *error)
{
	const char *lf = NULL, *p = r->text, *end = r->text + r->fault_at;

	error->msg = r->fault;
	error->line = 1;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		lf = p++;
		error->line++;
	}
	error->pos = utf8_length((struct span){r->text, r->fault_at});
	error->column = lf == NULL ? error->pos + 1
				   : utf8_length((struct span){lf,
				         (size_t)(end - lf)});
}

static enum err
build(struct reader *r, struct arena *arena)
{
	size_t escaped = r->escaped;

	r->nodes = arena_array(arena, r->n, sizeof(*r->nodes));
	if (r->nodes == NULL)
		return ERR_MEMORY;
	if (escaped > 0 && (r->pool = arena_alloc(arena, escaped)) == NULL)
		return ERR_MEMORY;
	return read_text(r) ? ERR_NONE : r->err;
}

enum err
pyjson_decode(struct arena *arena, struct span text,
    const struct pyjson_limits *limits, const struct pyjson **value,
    struct pyjson_error *error)
{
	struct reader r = {.text = text.len == 0 ? "" : text.data,
	    .len = text.len,
	    .limits = limits == NULL ? pyjson_limits_python : *limits};
	enum err err;

	*value = NULL;
	if (r.limits.depth == 0 || r.limits.depth > PYJSON_DEPTH_MAX)
		r.limits.depth = PYJSON_DEPTH_MAX;
	if (r.limits.bytes == 0 || r.limits.bytes > UINT32_MAX / 2)
		r.limits.bytes = UINT32_MAX / 2;
	if (text.len > r.limits.bytes)
		return ERR_TOO_BIG;
	if (!read_text(&r)) {
		if (r.err == ERR_SYNTAX && error != NULL)
			locate(&r, error);
		return r.err;
	}
	err = build(&r, arena);
	if (err == ERR_NONE)
		*value = r.nodes;
	return err;
}
