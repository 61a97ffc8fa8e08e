/* Guesses from the bytes alone; a guess is reported, never silent. */
#include "documents/encoding.h"

#include <string.h>

#include "base/utf8.h"

/* Windows-1252 from 0x80 to 0x9F; 0 where it has nothing. */
static const uint16_t high_codes[32] = {0x20AC, 0, 0x201A, 0x0192, 0x201E,
    0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D,
    0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
    0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178};

static void
put_code(struct buf *out, uint32_t code)
{
	char bytes[4];

	buf_add(out, bytes, utf8_put(bytes, code));
}

static void
put_utf16(struct span s, bool big, struct buf *out)
{
	uint32_t code, next;
	size_t i;

	for (i = 0; i + 1 < s.len; i += 2) {
		unsigned char a = (unsigned char)s.data[i];
		unsigned char b = (unsigned char)s.data[i + 1];

		code = big ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
		if (code >= 0xD800 && code < 0xDC00 && i + 3 < s.len) {
			a = (unsigned char)s.data[i + 2];
			b = (unsigned char)s.data[i + 3];
			next = big ? (uint32_t)a << 8 | b
				   : (uint32_t)b << 8 | a;
			if (next >= 0xDC00 && next < 0xE000) {
				code = 0x10000 + ((code - 0xD800) << 10) +
				    (next - 0xDC00);
				i += 2;
			}
		}
		if (code >= 0xD800 && code < 0xE000)
			code = 0xFFFD;
		if (code != '\r')
			put_code(out, code);
	}
}

static void
put_latin(struct span s, struct buf *out)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.data[i];
		if (c < 0x80)
			buf_addc(out, (char)c);
		else if (c < 0xA0)
			put_code(out, high_codes[c - 0x80] == 0
				? 0xFFFD
				: high_codes[c - 0x80]);
		else
			put_code(out, c);
	}
}

/* CR LF and lone CR become LF, in place. */
static void
unify_line_ends(struct buf *out)
{
	size_t i, n = 0;

	if (out->len == 0 || memchr(out->data, '\r', out->len) == NULL)
		return;
	for (i = 0; i < out->len; i++) {
		if (out->data[i] != '\r')
			out->data[n++] = out->data[i];
		else if (i + 1 == out->len || out->data[i + 1] != '\n')
			out->data[n++] = '\n';
	}
	buf_truncate(out, n);
}

/* Zeros at nearly every other byte: UTF-16 of mostly Latin text. */
static const char *
utf16_by_zeros(struct span s)
{
	size_t even = 0, odd = 0, i, n = s.len < 4096 ? s.len : 4096;

	for (i = 0; i < n; i++)
		if (s.data[i] == '\0')
			(*(i % 2 == 0 ? &even : &odd))++;
	if (odd > n / 4 && even <= n / 32)
		return "UTF-16LE";
	if (even > n / 4 && odd <= n / 32)
		return "UTF-16BE";
	return NULL;
}

static bool
looks_binary(struct span s)
{
	size_t controls = 0, i, n = s.len < 65536 ? s.len : 65536;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == 0)
			return true;
		controls += c < 9 || (c > 13 && c < 32 && c != 27);
	}
	return controls > n / 50;
}

const char *
encoding_to_utf8(struct span s, struct buf *out)
{
	const char *name;

	if (s.len >= 2 && (memcmp(s.data, "\xFF\xFE", 2) == 0 ||
	    memcmp(s.data, "\xFE\xFF", 2) == 0)) {
		name = s.data[0] == '\xFE' ? "UTF-16BE" : "UTF-16LE";
		s = (struct span){s.data + 2, s.len - 2};
		put_utf16(s, strcmp(name, "UTF-16BE") == 0, out);
		return name;
	}
	if (s.len >= 3 && memcmp(s.data, "\xEF\xBB\xBF", 3) == 0)
		s = (struct span){s.data + 3, s.len - 3};
	name = utf16_by_zeros(s);
	if (name != NULL) {
		put_utf16(s, strcmp(name, "UTF-16BE") == 0, out);
		return name;
	}
	if (looks_binary(s))
		return NULL;
	name = utf8_valid(s, false) ? "UTF-8" : "Latin-1";
	if (strcmp(name, "UTF-8") == 0)
		buf_add(out, s.data, s.len);
	else
		put_latin(s, out);
	unify_line_ends(out);
	return name;
}
