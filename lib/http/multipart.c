/*
 * multipart/form-data.  The body is in memory already, so a part is a pair
 * of positions: a boundary is searched with memmem, nothing is copied.
 */
#include "http/multipart.h"

#include <string.h>

#include "http/urlencoded.h"

#define BOUNDARY_MAX 70U /* RFC 2046, 5.1.1 */

/* The next "; name=value" of a header's parameters; the value is unquoted.
 * False at the end. */
static bool
next_parameter(struct span *rest, struct arena *a, struct span *name,
    struct span *value)
{
	char *out;
	size_t n = 0;

	while (rest->len > 0 && (rest->data[0] == ';' ||
	    text_is_blank(rest->data[0]))) {
		rest->data++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	*name = (struct span){rest->data, 0};
	while (rest->len > 0 && rest->data[0] != '=' &&
	    rest->data[0] != ';') {
		name->len++;
		rest->data++;
		rest->len--;
	}
	*name = span_trim(*name);
	*value = SPAN_NONE;
	if (rest->len == 0 || rest->data[0] != '=')
		return true;
	rest->data++;
	rest->len--;
	if (rest->len == 0 || rest->data[0] != '"') {
		*value = (struct span){rest->data, 0};
		while (rest->len > 0 && rest->data[0] != ';') {
			value->len++;
			rest->data++;
			rest->len--;
		}
		*value = span_trim(*value);
		return true;
	}
	out = arena_alloc(a, rest->len);
	if (out == NULL)
		return true;
	for (rest->data++, rest->len--; rest->len > 0; rest->data++,
	    rest->len--) {
		if (rest->data[0] == '"') {
			rest->data++;
			rest->len--;
			break;
		}
		/* Browsers send "C:\new": only a quote or a backslash is
		 * taken as escaped. */
		if (rest->data[0] == '\\' && rest->len > 1 &&
		    strchr("\"\\", rest->data[1]) != NULL &&
		    rest->data[1] != '\0') {
			rest->data++;
			rest->len--;
		}
		out[n++] = rest->data[0];
	}
	*value = (struct span){out, n};
	return true;
}

bool
multipart_is(const char *content_type)
{
	struct span rest = span_of(content_type);

	return span_is_nocase(span_trim(span_cut(&rest, ';')),
	    "multipart/form-data");
}

/* "--" and the boundary; SPAN_NONE when it is missing or not allowed. */
static struct span
delimiter(const char *content_type, struct arena *a)
{
	struct span rest = span_of(content_type), name, value;
	char *text;
	size_t i;

	(void)span_cut(&rest, ';');
	while (next_parameter(&rest, a, &name, &value)) {
		if (!span_is_nocase(name, "boundary"))
			continue;
		if (value.len == 0 || value.len > BOUNDARY_MAX)
			return SPAN_NONE;
		for (i = 0; i < value.len; i++)
			if ((unsigned char)value.data[i] < 0x20 ||
			    (unsigned char)value.data[i] > 0x7e)
				return SPAN_NONE;
		text = arena_alloc(a, value.len + 3);
		if (text == NULL)
			return SPAN_NONE;
		memcpy(text, "--", 2);
		memcpy(text + 2, value.data, value.len);
		return (struct span){text, value.len + 2};
	}
	return SPAN_NONE;
}

/* "UTF-8''na%C3%AFve.txt" (RFC 5987) decoded; other charsets as they are. */
static struct span
extended_value(struct span value, struct arena *a)
{
	struct span rest = value, charset = span_cut(&rest, '\'');

	if (rest.data == NULL || !span_is_nocase(charset, "UTF-8"))
		return value;
	(void)span_cut(&rest, '\'');
	return rest.data == NULL ? value : percent_decode(a, rest, false);
}

static void
read_disposition(struct span value, struct arena *a,
    struct multipart_part *part)
{
	bool extended = false;
	struct span name, text;

	(void)span_cut(&value, ';');
	while (next_parameter(&value, a, &name, &text)) {
		if (span_is_nocase(name, "name")) {
			part->name = text;
		} else if (span_is_nocase(name, "filename*")) {
			part->is_file = extended = true;
			part->filename = extended_value(text, a);
		} else if (span_is_nocase(name, "filename")) {
			part->is_file = true;
			if (!extended)
				part->filename = text;
		}
	}
}

static void
read_headers(struct span head, struct arena *a, struct multipart_part *part)
{
	struct span line, name;

	while (head.len > 0) {
		line = span_trim(span_cut(&head, '\n'));
		name = span_trim(span_cut(&line, ':'));
		line = span_trim(line);
		if (span_is_nocase(name, "Content-Disposition"))
			read_disposition(line, a, part);
		else if (span_is_nocase(name, "Content-Type") && line.len > 0)
			part->content_type = line;
	}
}

/* Finds mark in rest; SIZE_MAX when it is not there. */
static size_t
find(struct span rest, struct span mark)
{
	const char *at = rest.len < mark.len
	    ? NULL
	    : memmem(rest.data, rest.len, mark.data, mark.len);

	return at == NULL ? SIZE_MAX : (size_t)(at - rest.data);
}

static struct span
after(struct span s, size_t n)
{
	return (struct span){s.data + n, s.len - n};
}

/* One part: from behind its delimiter line to before the next delimiter,
 * which *rest then begins with. */
static enum err
read_part(struct span *rest, struct span mark, struct arena *a,
    struct multipart_part *part)
{
	size_t end;

	*part = (struct multipart_part){.name = SPAN_NONE};
	if (span_starts(*rest, "\r\n")) {
		end = 0; /* no headers at all */
	} else {
		end = find(*rest, SPAN("\r\n\r\n"));
		if (end == SIZE_MAX)
			return ERR_SYNTAX;
		if (end > MULTIPART_HEADER_MAX)
			return ERR_TOO_BIG;
		read_headers((struct span){rest->data, end}, a, part);
		end += 2;
	}
	*rest = after(*rest, end + 2);
	if (span_starts(*rest, mark.data + 2)) {
		part->data = (struct span){rest->data, 0};
		*rest = after(*rest, mark.len - 2);
		return ERR_NONE;
	}
	end = find(*rest, mark);
	if (end == SIZE_MAX)
		return ERR_SYNTAX;
	part->data = (struct span){rest->data, end};
	*rest = after(*rest, end + mark.len);
	return ERR_NONE;
}

/* Blanks and the end of the line behind a delimiter. */
static bool
skip_line_end(struct span *rest)
{
	while (rest->len > 0 && (rest->data[0] == ' ' ||
	    rest->data[0] == '\t'))
		*rest = after(*rest, 1);
	if (!span_starts(*rest, "\r\n"))
		return false;
	*rest = after(*rest, 2);
	return true;
}

enum err
multipart_parse(const char *content_type, struct span body,
    struct arena *arena, struct multipart *out)
{
	struct span first, mark, rest = body;
	char *text;
	size_t at;
	enum err err;

	*out = (struct multipart){.parts = NULL};
	first = delimiter(content_type, arena);
	if (first.data == NULL || body.len == 0)
		return ERR_SYNTAX;
	text = arena_printf(arena, "\r\n%s", first.data);
	out->parts = arena_array(arena, MULTIPART_PARTS_MAX,
	    sizeof(*out->parts));
	if (text == NULL || out->parts == NULL)
		return ERR_MEMORY;
	mark = span_of(text);
	/* The first delimiter stands at the start or behind a preamble. */
	at = span_starts(body, first.data) ? 0 : find(body, mark);
	if (at == SIZE_MAX)
		return ERR_SYNTAX;
	rest = after(body, at + (at == 0 && span_starts(body, first.data)
	    ? first.len : mark.len));
	while (!span_starts(rest, "--")) {
		if (out->n == MULTIPART_PARTS_MAX)
			return ERR_TOO_BIG;
		if (!skip_line_end(&rest))
			return ERR_SYNTAX;
		err = read_part(&rest, mark, arena, &out->parts[out->n]);
		if (err != ERR_NONE)
			return err;
		out->n++;
	}
	return ERR_NONE;
}

const struct multipart_part *
multipart_find(const struct multipart *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (span_is(m->parts[i].name, name))
			return &m->parts[i];
	return NULL;
}
