/* A scanner without a tree. */
#include "documents/xml.h"

#include <string.h>

#include "base/utf8.h"

static struct span
from(struct span s, size_t at)
{
	return (struct span){s.data + at, s.len - at};
}

/* Passes what begins with `open` and ends with `close`. */
static bool
pass(struct span *rest, const char *open, const char *close, struct span *inner)
{
	size_t n = strlen(open);
	const char *end;

	if (!span_starts(*rest, open))
		return false;
	*inner = from(*rest, n);
	end = memmem(inner->data, inner->len, close, strlen(close));
	if (end == NULL) {
		*rest = from(*rest, rest->len);
		return true;
	}
	inner->len = (size_t)(end - inner->data);
	*rest = from(*rest, n + inner->len + strlen(close));
	return true;
}

/* Where the tag at rest[0] ends: '>' outside quotes. */
static size_t
tag_end(struct span rest)
{
	char quote = '\0';
	size_t i;

	for (i = 1; i < rest.len; i++) {
		char c = rest.data[i];

		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			break;
	}
	return i;
}

static struct span
without_prefix(struct span name)
{
	const char *colon = name.len == 0
	    ? NULL
	    : memchr(name.data, ':', name.len);

	return colon == NULL ? name
			     : from(name, (size_t)(colon - name.data) + 1);
}

static void
read_tag(struct span tag, struct xml_piece *piece)
{
	size_t i;

	piece->kind = XML_OPEN;
	if (tag.len > 0 && tag.data[0] == '/') {
		piece->kind = XML_CLOSE;
		tag = from(tag, 1);
	}
	if (tag.len > 0 && tag.data[tag.len - 1] == '/') {
		piece->empty = true;
		tag.len--;
	}
	for (i = 0; i < tag.len && !text_is_blank(tag.data[i]); i++)
		continue;
	piece->name = without_prefix((struct span){tag.data, i});
	piece->attributes = from(tag, i);
}

enum xml_kind
xml_next(struct span *rest, struct xml_piece *piece)
{
	struct span inner;
	const char *open;
	size_t end;

	*piece = (struct xml_piece){.kind = XML_END};
	while (rest->len > 0) {
		if (rest->data[0] != '<') {
			open = memchr(rest->data, '<', rest->len);
			piece->kind = XML_TEXT;
			piece->text = *rest;
			if (open != NULL)
				piece->text.len = (size_t)(open - rest->data);
			*rest = from(*rest, piece->text.len);
			return XML_TEXT;
		}
		if (pass(rest, "<!--", "-->", &inner) ||
		    pass(rest, "<?", "?>", &inner))
			continue;
		if (pass(rest, "<![CDATA[", "]]>", &piece->text)) {
			piece->kind = XML_TEXT;
			piece->verbatim = true;
			return XML_TEXT;
		}
		if (span_starts(*rest, "<!")) {
			/* A document type, with an inner part in brackets. */
			end = tag_end(*rest);
			open = memchr(rest->data, '[', end);
			if (open != NULL && pass(rest, "<!", "]", &inner))
				continue;
			*rest = from(*rest, end < rest->len ? end + 1 : end);
			continue;
		}
		end = tag_end(*rest);
		read_tag((struct span){rest->data + 1, end - 1}, piece);
		*rest = from(*rest, end < rest->len ? end + 1 : end);
		return piece->kind;
	}
	return XML_END;
}

struct span
xml_attribute(const struct xml_piece *piece, const char *wanted)
{
	struct span rest = piece->attributes, name, value;
	const char *end;
	size_t i;

	for (;;) {
		rest = span_trim(rest);
		for (i = 0; i < rest.len && rest.data[i] != '=' &&
		     !text_is_blank(rest.data[i]); i++)
			continue;
		name = without_prefix((struct span){rest.data, i});
		rest = span_trim(from(rest, i));
		if (rest.len < 2 || rest.data[0] != '=')
			return SPAN_NONE;
		rest = span_trim(from(rest, 1));
		if (rest.len < 2 ||
		    (rest.data[0] != '"' && rest.data[0] != '\''))
			return SPAN_NONE;
		end = memchr(rest.data + 1, rest.data[0], rest.len - 1);
		if (end == NULL)
			return SPAN_NONE;
		value = (struct span){rest.data + 1,
		    (size_t)(end - rest.data) - 1};
		if (span_is(name, wanted))
			return value;
		rest = from(rest, value.len + 2);
	}
}

/* "&#233;" or "&#xE9;": its code, and its length; 0 when it is none. */
static size_t
numeric_entity(struct span text, uint32_t *code)
{
	bool hex = text.len > 3 && (text.data[2] == 'x' || text.data[2] == 'X');
	size_t i = hex ? 3 : 2, first = i;
	int digit;

	*code = 0;
	for (; i < text.len && i < first + 8; i++) {
		digit = hex ? text_hex_value(text.data[i])
			    : text_is_digit(text.data[i]) ? text.data[i] - '0'
							  : -1;
		if (digit < 0)
			break;
		*code = *code * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (i == first || i == text.len || text.data[i] != ';')
		return 0;
	if (*code == 0 || *code > 0x10FFFF ||
	    (*code >= 0xD800 && *code < 0xE000))
		*code = 0xFFFD;
	return i + 1;
}

static size_t
entity(struct span text, uint32_t *code)
{
	static const struct {
		const char *name;
		uint32_t code;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'},
	    {"&quot;", '"'}, {"&apos;", '\''}};
	size_t i;

	if (span_starts(text, "&#"))
		return numeric_entity(text, code);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_starts(text, names[i].name)) {
			*code = names[i].code;
			return strlen(names[i].name);
		}
	return 0;
}

void
xml_put_text(struct span text, struct buf *out)
{
	const char *amp;
	char bytes[4];
	uint32_t code;
	size_t n;

	while (text.len > 0) {
		amp = memchr(text.data, '&', text.len);
		n = amp == NULL ? text.len : (size_t)(amp - text.data);
		buf_add(out, text.data, n);
		text = from(text, n);
		if (text.len == 0)
			return;
		n = entity(text, &code);
		if (n == 0) {
			buf_addc(out, '&');
			n = 1;
		} else {
			buf_add(out, bytes, utf8_put(bytes, code));
		}
		text = from(text, n);
	}
}
