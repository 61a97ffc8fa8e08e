/* The one JSON encoder of the project; see the header for its style. */
#include "json/jsonout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char *
short_escape(unsigned char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

void
jsonout_string(struct buf *out, struct span text)
{
	size_t at = 0, plain = 0;

	buf_addc(out, '"');
	while (at < text.len) {
		size_t start = at;
		unsigned char c = (unsigned char)text.data[at];
		const char *escape = short_escape(c);
		uint32_t code;

		if (c >= 0x20 && c < 0x80 && escape == NULL) {
			at++;
			continue;
		}
		code = utf8_next(text, &at);
		if (escape == NULL && code >= 0x80 && code != UTF8_INVALID &&
		    (code < 0xD800 || code > 0xDFFF))
			continue;
		buf_add(out, text.data + plain, start - plain);
		plain = at;
		if (escape != NULL)
			buf_adds(out, escape);
		else if (code == UTF8_INVALID)
			buf_adds(out, "\xEF\xBF\xBD");
		else
			buf_printf(out, "\\u%04" PRIx32, code);
	}
	if (at > plain)
		buf_add(out, text.data + plain, at - plain);
	buf_addc(out, '"');
}

void
jsonout_cstring(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_adds(out, "null");
	else
		jsonout_string(out, span_of(text));
}

void
jsonout_int(struct buf *out, int64_t value)
{
	buf_printf(out, "%" PRId64, value);
}

size_t
jsonout_double_text(double value, char out[JSONOUT_DOUBLE_TEXT])
{
	char digits[JSONOUT_DOUBLE_TEXT], mantissa[20];
	size_t n = 0, at = 0;
	int precision, exponent, i;
	const char *p;

	if (isnan(value))
		return (size_t)snprintf(out, JSONOUT_DOUBLE_TEXT, "nan");
	if (isinf(value))
		return (size_t)snprintf(out, JSONOUT_DOUBLE_TEXT,
		    value < 0 ? "-inf" : "inf");
	for (precision = 0; precision <= 16; precision++) {
		(void)snprintf(digits, sizeof(digits), "%.*e", precision,
		    value);
		if (strtod(digits, NULL) == value)
			break;
	}
	for (p = digits; *p != 'e'; p++)
		if (text_is_digit(*p) && n < sizeof(mantissa))
			mantissa[n++] = *p;
	exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && mantissa[n - 1] == '0')
		n--;
	if (signbit(value))
		out[at++] = '-';
	if (exponent < -4 || exponent >= 16) {
		out[at++] = mantissa[0];
		if (n > 1) {
			out[at++] = '.';
			memcpy(out + at, mantissa + 1, n - 1);
			at += n - 1;
		}
		return at + (size_t)snprintf(out + at,
		    JSONOUT_DOUBLE_TEXT - at, "e%+03d", exponent);
	}
	if (exponent < 0) {
		out[at++] = '0';
		out[at++] = '.';
		for (i = -1; i > exponent; i--)
			out[at++] = '0';
		memcpy(out + at, mantissa, n);
		at += n;
	} else {
		for (i = 0; i <= exponent; i++)
			out[at++] = (size_t)i < n ? mantissa[i] : '0';
		out[at++] = '.';
		if (n > (size_t)exponent + 1) {
			memcpy(out + at, mantissa + exponent + 1,
			    n - (size_t)exponent - 1);
			at += n - (size_t)exponent - 1;
		} else {
			out[at++] = '0';
		}
	}
	out[at] = '\0';
	return at;
}

void
jsonout_double(struct buf *out, double value)
{
	char text[JSONOUT_DOUBLE_TEXT];

	if (isnan(value) || isinf(value)) {
		buf_adds(out, "null");
		return;
	}
	buf_add(out, text, jsonout_double_text(value, text));
}

void
jsonout_bool(struct buf *out, bool value)
{
	buf_adds(out, value ? "true" : "false");
}

void
jsonout_comma(struct buf *out)
{
	char last;

	if (out->len == 0)
		return;
	last = out->data[out->len - 1];
	if (last != '{' && last != '[' && last != ':' && last != ',')
		buf_addc(out, ',');
}

void
jsonout_name(struct buf *out, const char *name)
{
	jsonout_comma(out);
	jsonout_cstring(out, name);
	buf_addc(out, ':');
}

void
jsonout_member(struct buf *out, const char *name, struct span text)
{
	jsonout_name(out, name);
	jsonout_string(out, text);
}

void
jsonout_member_cstring(struct buf *out, const char *name, const char *text)
{
	jsonout_name(out, name);
	jsonout_cstring(out, text);
}

void
jsonout_member_int(struct buf *out, const char *name, int64_t value)
{
	jsonout_name(out, name);
	jsonout_int(out, value);
}

void
jsonout_member_double(struct buf *out, const char *name, double value)
{
	jsonout_name(out, name);
	jsonout_double(out, value);
}

void
jsonout_member_bool(struct buf *out, const char *name, bool value)
{
	jsonout_name(out, name);
	jsonout_bool(out, value);
}

void
jsonout_member_null(struct buf *out, const char *name)
{
	jsonout_name(out, name);
	buf_adds(out, "null");
}

void
jsonout_member_raw(struct buf *out, const char *name, struct span json)
{
	jsonout_name(out, name);
	buf_add(out, json.data, json.len);
}
