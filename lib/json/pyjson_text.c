/*
 * From the bytes of a body to its text: the encoding is told by the first
 * bytes alone (contracts/chat.md 4.3), as Python's json.loads does, and
 * surrogates are let through.
 */
#include "json/pyjson.h"

#include <string.h>

#include "base/utf8.h"

enum unit { UTF8, UTF16_LE, UTF16_BE, UTF32_LE, UTF32_BE };

static bool
begins(struct span s, const char *mark, size_t len)
{
	return s.len >= len && memcmp(s.data, mark, len) == 0;
}

/* *skip is the length of the mark. */
static enum unit
detect(struct span s, size_t *skip)
{
	const char *p = s.data;

	*skip = 4;
	if (begins(s, "\x00\x00\xFE\xFF", 4))
		return UTF32_BE;
	if (begins(s, "\xFF\xFE\x00\x00", 4))
		return UTF32_LE;
	*skip = 2;
	if (begins(s, "\xFE\xFF", 2))
		return UTF16_BE;
	if (begins(s, "\xFF\xFE", 2))
		return UTF16_LE;
	*skip = 3;
	if (begins(s, "\xEF\xBB\xBF", 3))
		return UTF8;
	*skip = 0;
	if (s.len >= 4) {
		if (p[0] == 0)
			return p[1] == 0 ? UTF32_BE : UTF16_BE;
		if (p[1] == 0)
			return p[2] == 0 && p[3] == 0 ? UTF32_LE : UTF16_LE;
	} else if (s.len == 2) {
		if (p[0] == 0)
			return UTF16_BE;
		if (p[1] == 0)
			return UTF16_LE;
	}
	return UTF8;
}

static uint32_t
unit16(const char *p, enum unit unit)
{
	uint32_t a = (unsigned char)p[0], b = (unsigned char)p[1];

	return unit == UTF16_BE ? a << 8 | b : b << 8 | a;
}

static uint32_t
unit32(const char *p, enum unit unit)
{
	uint32_t a = (unsigned char)p[0], b = (unsigned char)p[1],
		 c = (unsigned char)p[2], d = (unsigned char)p[3];

	return unit == UTF32_BE ? a << 24 | b << 16 | c << 8 | d
				: d << 24 | c << 16 | b << 8 | a;
}

/* The code point at s.data[*at], which moves on; pairs are joined. */
static uint32_t
next_code(struct span s, enum unit unit, size_t *at)
{
	uint32_t code, low;

	if (unit == UTF32_LE || unit == UTF32_BE) {
		code = unit32(s.data + *at, unit);
		*at += 4;
		return code;
	}
	code = unit16(s.data + *at, unit);
	*at += 2;
	if (code < 0xD800 || code > 0xDBFF || s.len - *at < 2)
		return code;
	low = unit16(s.data + *at, unit);
	if (low < 0xDC00 || low > 0xDFFF)
		return code;
	*at += 2;
	return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

static enum err
recode(struct arena *arena, struct span s, enum unit unit, struct span *text)
{
	size_t width = unit == UTF16_LE || unit == UTF16_BE ? 2 : 4;
	size_t at, len = 0;
	char *out, scrap[4];

	if (s.len % width != 0)
		return ERR_SYNTAX;
	for (at = 0; at < s.len;) {
		uint32_t code = next_code(s, unit, &at);

		if (code > 0x10FFFF)
			return ERR_SYNTAX;
		len += utf8_put(scrap, code);
	}
	out = arena_alloc(arena, len + 1);
	if (out == NULL)
		return ERR_MEMORY;
	*text = (struct span){out, len};
	for (at = 0; at < s.len;)
		out += utf8_put(out, next_code(s, unit, &at));
	return ERR_NONE;
}

/* utf8_valid(s, true), with ASCII taken eight bytes at a time. */
static bool
valid(struct span s)
{
	size_t at = 0;

	while (at < s.len) {
		uint64_t w;

		if (s.len - at >= sizeof(w)) {
			memcpy(&w, s.data + at, sizeof(w));
			if ((w & UINT64_C(0x8080808080808080)) == 0) {
				at += sizeof(w);
				continue;
			}
		}
		if (utf8_next(s, &at) == UTF8_INVALID)
			return false;
	}
	return true;
}

enum err
pyjson_text(struct arena *arena, struct span body, struct span *text)
{
	enum unit unit;
	size_t skip = 0;

	*text = SPAN("");
	if (body.len == 0)
		return ERR_NONE;
	unit = detect(body, &skip);
	body.data += skip;
	body.len -= skip;
	if (unit != UTF8)
		return recode(arena, body, unit, text);
	if (!valid(body))
		return ERR_SYNTAX;
	*text = body;
	return ERR_NONE;
}
