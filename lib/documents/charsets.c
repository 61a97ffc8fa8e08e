/* Tables of one byte and of two, and the escapes of ISO 2022. */
#include "documents/charsets.h"

#include <string.h>

#include "base/utf8.h"

struct four {
	uint32_t first, code;
};

#include "charsets.inc"

#define NAME_MAX_BYTES 40
#define REPLACEMENT 0xFFFD

enum charset_kind {
	CHARSET_UTF8,
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_UTF32LE,
	CHARSET_UTF32BE,
	CHARSET_ONE,     /* byte a character */
	CHARSET_TWO,
	CHARSET_ISO2022, /* EUC in seven bits, by escapes */
	CHARSET_HZ       /* the same between ~{ and ~} */
};

struct charset {
	const char *name;
	enum charset_kind kind;
	const char *table; /* of which charset; NULL: its own */
};

#define NO_TABLE NULL
static const struct charset unicode[] = {
    {"UTF-8", CHARSET_UTF8, NO_TABLE},
    {"UTF-16LE", CHARSET_UTF16LE, NO_TABLE},
    {"UTF-16BE", CHARSET_UTF16BE, NO_TABLE},
    {"UTF-32LE", CHARSET_UTF32LE, NO_TABLE},
    {"UTF-32BE", CHARSET_UTF32BE, NO_TABLE},
    {"ISO-2022-JP", CHARSET_ISO2022, "EUC-JP"},
    {"ISO-2022-KR", CHARSET_ISO2022, "EUC-KR"},
    {"HZ-GB-2312", CHARSET_HZ, "GB18030"},
};

#define ONE(name, iconv) {name, CHARSET_ONE, NULL},
#define TWO(name, iconv) {name, CHARSET_TWO, NULL},
static const struct charset singles[] = {CHARSETS_SINGLE(ONE)};
static const struct charset doubles[] = {CHARSETS_DOUBLE(TWO)};

/* Other names, without marks. */
static const char *const aliases[][2] = {
    {"latin1", "windows-1252"}, {"l1", "windows-1252"},
    {"iso88591", "windows-1252"}, {"ascii", "windows-1252"},
    {"usascii", "windows-1252"}, {"ansi", "windows-1252"},
    {"latin2", "ISO-8859-2"}, {"latin3", "ISO-8859-3"},
    {"latin4", "ISO-8859-4"}, {"cyrillic", "ISO-8859-5"},
    {"arabic", "ISO-8859-6"}, {"greek", "ISO-8859-7"},
    {"hebrew", "ISO-8859-8"}, {"iso88598i", "ISO-8859-8"},
    {"latin5", "windows-1254"}, {"iso88599", "windows-1254"},
    {"latin6", "ISO-8859-10"}, {"latin9", "ISO-8859-15"},
    {"iso885911", "windows-874"}, {"tis620", "windows-874"},
    {"cp874", "windows-874"}, {"koi", "KOI8-R"}, {"koi8", "KOI8-R"},
    {"cskoi8r", "KOI8-R"}, {"koi8ru", "KOI8-U"}, {"mac", "macintosh"},
    {"macroman", "macintosh"}, {"xmacroman", "macintosh"},
    {"maccyrillic", "x-mac-cyrillic"}, {"macce", "mac-centraleurope"},
    {"gb2312", "GB18030"}, {"gbk", "GB18030"}, {"xgbk", "GB18030"},
    {"cp936", "GB18030"}, {"ms936", "GB18030"}, {"euccn", "GB18030"},
    {"chinese", "GB18030"}, {"gb231280", "GB18030"},
    {"hz", "HZ-GB-2312"},
    {"big5hkscs", "Big5"}, {"cp950", "Big5"}, {"xxbig5", "Big5"},
    {"cnbig5", "Big5"}, {"sjis", "Shift_JIS"}, {"xsjis", "Shift_JIS"},
    {"cp932", "Shift_JIS"}, {"ms932", "Shift_JIS"},
    {"mskanji", "Shift_JIS"}, {"windows31j", "Shift_JIS"},
    {"xeucjp", "EUC-JP"}, {"eucjpms", "EUC-JP"}, {"cp949", "EUC-KR"},
    {"uhc", "EUC-KR"}, {"windows949", "EUC-KR"}, {"korean", "EUC-KR"},
    {"ksc5601", "EUC-KR"}, {"ksc56011987", "EUC-KR"},
    {"ksx1001", "EUC-KR"}, {"cp1361", "JOHAB"}, {"utf16", "UTF-16LE"},
    {"ucs2", "UTF-16LE"}, {"unicode", "UTF-16LE"}, {"utf32", "UTF-32LE"},
};

/* Letters and digits alone, in lower case. */
static void
plain_name(struct span name, char out[NAME_MAX_BYTES])
{
	size_t i, n = 0;

	for (i = 0; i < name.len && n + 1 < NAME_MAX_BYTES; i++)
		if (text_is_alnum(name.data[i]))
			out[n++] = text_lower(name.data[i]);
	out[n] = '\0';
}

static const struct charset *
find_in(const struct charset *list, size_t n, const char *plain)
{
	char own[NAME_MAX_BYTES];
	size_t i;

	for (i = 0; i < n; i++) {
		plain_name(span_of(list[i].name), own);
		if (strcmp(own, plain) == 0)
			return &list[i];
	}
	return NULL;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct charset *
find_plain(const char *plain)
{
	const struct charset *c = find_in(unicode, COUNT(unicode), plain);

	if (c == NULL)
		c = find_in(singles, COUNT(singles), plain);
	return c == NULL ? find_in(doubles, COUNT(doubles), plain) : c;
}

const struct charset *
charset_find(struct span name)
{
	/* "cp1251", "win1251", "x-cp1251" are windows-1251, "cp866" IBM866. */
	static const char *const prefixes[][2] = {{"cp125", "windows125"},
	    {"win125", "windows125"}, {"xcp125", "windows125"},
	    {"cp", "ibm"}, {"8859", "iso8859"}};
	char plain[NAME_MAX_BYTES], other[NAME_MAX_BYTES * 2];
	const struct charset *c;
	size_t i, n;

	if (name.len == 0)
		return NULL;
	plain_name(name, plain);
	for (i = 0; i < COUNT(aliases); i++)
		if (strcmp(plain, aliases[i][0]) == 0)
			plain_name(span_of(aliases[i][1]), plain);
	c = find_plain(plain);
	for (i = 0; i < COUNT(prefixes) && c == NULL; i++) {
		n = strlen(prefixes[i][0]);
		if (strncmp(plain, prefixes[i][0], n) != 0)
			continue;
		memcpy(other, prefixes[i][1], strlen(prefixes[i][1]));
		memcpy(other + strlen(prefixes[i][1]), plain + n,
		    strlen(plain + n) + 1);
		c = find_plain(other);
	}
	return c;
}

const char *
charset_name(const struct charset *c)
{
	return c->name;
}

bool
charset_is_utf8(const struct charset *c)
{
	return c->kind == CHARSET_UTF8;
}

/* ---- decoding ------------------------------------------------------------ */

static void
put_code(struct buf *out, uint32_t code)
{
	char bytes[4];

	buf_add(out, bytes, utf8_put(bytes, code));
}

/* code, or U+FFFD for 0, which is counted. */
static void
put_found(struct buf *out, uint32_t code, int64_t *bad)
{
	*bad += code == 0;
	put_code(out, code == 0 ? REPLACEMENT : code);
}

static int64_t
decode_utf8(struct span s, struct buf *out)
{
	size_t at = 0, start;
	int64_t bad = 0;
	bool in_bad = false;
	uint32_t code;

	while (at < s.len) {
		start = at;
		code = utf8_next(s, &at);
		if (code != UTF8_INVALID && (code < 0xD800 || code > 0xDFFF)) {
			buf_add(out, s.data + start, at - start);
			in_bad = false;
			continue;
		}
		/* One for a broken character, not for each of its bytes. */
		if (!in_bad)
			put_found(out, 0, &bad);
		in_bad = true;
	}
	return bad;
}

static uint32_t
unit(struct span s, size_t at, size_t bytes, bool big)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		n = n << 8 |
		    (unsigned char)s.data[at + (big ? i : bytes - 1 - i)];
	return n;
}

static int64_t
decode_utf16(struct span s, bool big, struct buf *out)
{
	uint32_t code, next;
	int64_t bad = 0;
	size_t i;

	for (i = 0; i + 1 < s.len; i += 2) {
		code = unit(s, i, 2, big);
		next = i + 3 < s.len ? unit(s, i + 2, 2, big) : 0;
		if (code >= 0xD800 && code < 0xDC00 && next >= 0xDC00 &&
		    next < 0xE000) {
			code = 0x10000 + ((code - 0xD800) << 10) +
			    (next - 0xDC00);
			i += 2;
		} else if (code >= 0xD800 && code < 0xE000) {
			code = 0;
		}
		put_found(out, code, &bad);
	}
	if (s.len % 2 == 1)
		put_found(out, 0, &bad);
	return bad;
}

static int64_t
decode_utf32(struct span s, bool big, struct buf *out)
{
	uint32_t code;
	int64_t bad = 0;
	size_t i;

	for (i = 0; i + 3 < s.len; i += 4) {
		code = unit(s, i, 4, big);
		if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
			code = 0;
		put_found(out, code, &bad);
	}
	return bad;
}

static int64_t
decode_one(const struct charset *c, struct span s, struct buf *out)
{
	const uint16_t *codes = single_codes[c - singles];
	int64_t bad = 0;
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char b = (unsigned char)s.data[i];

		if (b < 0x80)
			buf_addc(out, (char)b);
		else
			put_found(out, codes[b - 0x80], &bad);
	}
	return bad;
}

static uint32_t
pair_code(const struct charset *c, unsigned char lead, unsigned char trail)
{
	if (lead < CHARSET_LEAD_FIRST || lead == 0xFF ||
	    trail < CHARSET_TRAIL_FIRST || trail == 0xFF)
		return 0;
	return double_codes[c - doubles][(lead - CHARSET_LEAD_FIRST) *
		CHARSET_TRAILS + (trail - CHARSET_TRAIL_FIRST)];
}

/* Four bytes of GB18030: 0 when they are none. */
static uint32_t
four_code(struct span s)
{
	const unsigned char *b = (const unsigned char *)s.data;
	size_t i = COUNT(four_runs);
	uint32_t n;

	if (s.len < 4 || b[0] < 0x81 || b[1] < 0x30 || b[1] > 0x39 ||
	    b[2] < 0x81 || b[3] < 0x30 || b[3] > 0x39)
		return 0;
	n = (((uint32_t)(b[0] - 0x81) * 10 + (b[1] - 0x30U)) * 126 +
		(b[2] - 0x81U)) * 10 + (b[3] - 0x30U);
	if (n >= 189000)
		return n - 189000 + 0x10000 > 0x10FFFF ? 0
						       : n - 189000 + 0x10000;
	if (n >= 39420)
		return 0;
	while (i > 1 && four_runs[i - 1].first > n)
		i--;
	return four_runs[i - 1].code == 0
	    ? 0
	    : four_runs[i - 1].code + (n - four_runs[i - 1].first);
}

/* The character at s[0], at least 0x80; *used of its bytes. */
static uint32_t
double_code(const struct charset *c, struct span s, size_t *used)
{
	unsigned char lead = (unsigned char)s.data[0];
	unsigned char trail = s.len > 1 ? (unsigned char)s.data[1] : 0;
	uint32_t code = 0;

	*used = 1;
	if (strcmp(c->name, "Shift_JIS") == 0 && lead >= 0xA1 && lead <= 0xDF)
		return 0xFF61 + (lead - 0xA1U);
	if (strcmp(c->name, "EUC-JP") == 0 && lead == 0x8E && trail >= 0xA1 &&
	    trail <= 0xDF) {
		*used = 2;
		return 0xFF61 + (trail - 0xA1U);
	}
	if (strcmp(c->name, "GB18030") == 0 && trail >= 0x30 && trail <= 0x39) {
		code = four_code(s);
		*used = code == 0 ? 1 : 4;
		return code;
	}
	if (strcmp(c->name, "EUC-JP") == 0 && lead == 0x8F && s.len > 2) {
		*used = 3; /* JIS X 0212, of rare characters */
		return 0;
	}
	if (strcmp(c->name, "EUC-TW") == 0 && lead == 0x8E && s.len > 3) {
		*used = 4; /* its further planes, as rare */
		return 0;
	}
	code = pair_code(c, lead, trail);
	/* A broken pair does not take an ASCII character with it. */
	if (code != 0 || trail >= 0x80)
		*used = 2;
	return code;
}

static int64_t
decode_two(const struct charset *c, struct span s, struct buf *out)
{
	int64_t bad = 0;
	size_t used, i;

	for (i = 0; i < s.len; i += used) {
		used = 1;
		if ((unsigned char)s.data[i] < 0x80) {
			buf_addc(out, s.data[i]);
			continue;
		}
		put_found(out, double_code(c, (struct span){s.data + i,
		    s.len - i}, &used), &bad);
		if (used > s.len - i)
			used = s.len - i;
	}
	return bad;
}

/* What an escape switches to. */
enum shift { SHIFT_ASCII, SHIFT_PAIRS, SHIFT_KATAKANA };

/* The length of an escape at s[0] and what it switches to; 0: none. */
static size_t
take_escape(struct span s, bool hz, enum shift *shift)
{
	static const struct {
		const char *text;
		enum shift shift;
	} escapes[] = {{"\033(B", SHIFT_ASCII}, {"\033(J", SHIFT_ASCII},
	    {"\033(I", SHIFT_KATAKANA}, {"\033$@", SHIFT_PAIRS},
	    {"\033$B", SHIFT_PAIRS}, {"\033$)C", SHIFT_ASCII},
	    {"\016", SHIFT_PAIRS}, {"\017", SHIFT_ASCII}},
	  tildes[] = {{"~{", SHIFT_PAIRS}, {"~}", SHIFT_ASCII}};
	size_t i;

	for (i = 0; hz && i < COUNT(tildes); i++)
		if (span_starts(s, tildes[i].text)) {
			*shift = tildes[i].shift;
			return strlen(tildes[i].text);
		}
	for (i = 0; !hz && i < COUNT(escapes); i++)
		if (span_starts(s, escapes[i].text)) {
			*shift = escapes[i].shift;
			return strlen(escapes[i].text);
		}
	return 0;
}

static int64_t
decode_shifted(const struct charset *c, struct span s, struct buf *out)
{
	const struct charset *pairs = charset_find(span_of(c->table));
	enum shift shift = SHIFT_ASCII;
	int64_t bad = 0;
	size_t used, i;

	for (i = 0; i < s.len; i += used) {
		used = take_escape((struct span){s.data + i, s.len - i},
		    c->kind == CHARSET_HZ, &shift);
		if (used > 0)
			continue;
		used = 1;
		if (s.data[i] == '\n')
			shift = c->kind == CHARSET_HZ ? SHIFT_ASCII : shift;
		if (shift == SHIFT_ASCII || (unsigned char)s.data[i] < 0x21) {
			buf_addc(out, s.data[i] < 0 ? '?' : s.data[i]);
			bad += s.data[i] < 0;
		} else if (shift == SHIFT_KATAKANA) {
			put_code(out, 0xFF61 +
				(((uint32_t)s.data[i] & 0x7F) - 0x21));
		} else if (i + 1 < s.len) {
			used = 2;
			put_found(out, pair_code(pairs,
			    (unsigned char)(s.data[i] | 0x80),
			    (unsigned char)(s.data[i + 1] | 0x80)), &bad);
		}
	}
	return bad;
}

int64_t
charset_decode(const struct charset *c, struct span bytes, struct buf *out)
{
	switch (c->kind) {
	case CHARSET_UTF8:
		return decode_utf8(bytes, out);
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		return decode_utf16(bytes, c->kind == CHARSET_UTF16BE, out);
	case CHARSET_UTF32LE:
	case CHARSET_UTF32BE:
		return decode_utf32(bytes, c->kind == CHARSET_UTF32BE, out);
	case CHARSET_ONE:
		return decode_one(c, bytes, out);
	case CHARSET_TWO:
		return decode_two(c, bytes, out);
	case CHARSET_ISO2022:
	case CHARSET_HZ:
		return decode_shifted(c, bytes, out);
	}
	return 0;
}
