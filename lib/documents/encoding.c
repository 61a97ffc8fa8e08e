/* What bytes say of themselves comes first, what they look like last; a guess
 * is reported, never silent. */
#include "documents/encoding.h"

#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "documents/charsets.h"
#include "documents/detect.h"
#include "language/languages.h"
#include "language/stopwords.h"

#define LOOK_BYTES 65536   /* of a text that is judged */
#define DECLARED_WITHIN 4096 /* bytes of a page in which it names its charset */
#define LANGUAGE_BYTES 4096
#define FEW_LETTERS 4      /* beyond ASCII, from which nobody can tell */
#define SOME_LETTERS 8

#define FAULT_BINARY "is not text"
#define FAULT_NOISE "is in no encoding that gives words"

/* ---- the bytes ----------------------------------------------------------- */

/* CR LF and lone CR become LF, a zero a blank, in place. */
static void
unify(struct buf *out, size_t from)
{
	size_t i, n = from;

	if (out->len == from)
		return;
	for (i = from; i < out->len; i++) {
		if (out->data[i] == '\0')
			out->data[n++] = ' ';
		else if (out->data[i] != '\r')
			out->data[n++] = out->data[i];
		else if (i + 1 == out->len || out->data[i + 1] != '\n')
			out->data[n++] = '\n';
	}
	buf_truncate(out, n);
}

static bool
is_binary(struct span s)
{
	size_t controls = 0, i, n = s.len < LOOK_BYTES ? s.len : LOOK_BYTES;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s.data[i];

		controls += c < 9 || (c > 13 && c < 32 && c != 27);
	}
	return controls > n / 50 + (n > 4);
}

/* The charset of a byte order mark, and the bytes behind it. */
static const struct charset *
by_mark(struct span *s)
{
	static const struct {
		const char *mark;
		size_t len;
		const char *name;
	} marks[] = {{"\xEF\xBB\xBF", 3, "UTF-8"},
	    {"\xFF\xFE\0\0", 4, "UTF-32LE"}, {"\0\0\xFE\xFF", 4, "UTF-32BE"},
	    {"\xFF\xFE", 2, "UTF-16LE"}, {"\xFE\xFF", 2, "UTF-16BE"}};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (s->len < marks[i].len ||
		    memcmp(s->data, marks[i].mark, marks[i].len) != 0)
			continue;
		*s = (struct span){s->data + marks[i].len,
		    s->len - marks[i].len};
		return charset_find(span_of(marks[i].name));
	}
	return NULL;
}

/* Zeros at every other byte, nowhere else: UTF-16, of Latin text (zero is the
 * high byte of nearly all) or of another alphabet, with blanks in it (two
 * values make up nearly all high bytes). */
static const struct charset *
by_zeros(struct span s)
{
	size_t counts[2][256] = {{0}}, i, k, most, n;

	n = (s.len < 4096 ? s.len : 4096) / 2;
	for (i = 0; i < n * 2; i++)
		counts[i % 2][(unsigned char)s.data[i]]++;
	for (i = 0; i < 2; i++) {
		most = 0;
		for (k = 1; k < 256; k++)
			most = counts[i][k] > most ? counts[i][k] : most;
		if (counts[i][0] > n / 20 && counts[1 - i][0] * 16 <=
			counts[i][0] && (counts[i][0] + most) * 8 > n * 7)
			return charset_find(i == 0 ? SPAN("UTF-16BE")
						   : SPAN("UTF-16LE"));
	}
	return NULL;
}

struct utf8_look {
	size_t good, bad; /* characters beyond ASCII, and broken ones */
	bool escapes;     /* an escape or tilde as in seven-bit charsets */
	bool cut;         /* the last character alone is broken */
};

static struct utf8_look
look_at_utf8(struct span s)
{
	struct utf8_look look = {0, 0, false, false};
	bool in_bad = false;
	size_t at = 0;
	uint32_t c;

	while (at < s.len) {
		if ((unsigned char)s.data[at] < 0x80) {
			look.escapes = look.escapes ||
			    s.data[at] == '\033' || (s.data[at] == '~' &&
				at + 1 < s.len && s.data[at + 1] == '{');
			in_bad = false;
			at++;
			continue;
		}
		c = utf8_next(s, &at);
		if (c != UTF8_INVALID && (c < 0xD800 || c > 0xDFFF)) {
			look.good++;
			in_bad = false;
		} else {
			look.bad += !in_bad;
			look.cut = look.bad == 1 && at + 3 > s.len;
			in_bad = true;
		}
	}
	return look;
}

/* ---- what a page says ---------------------------------------------------- */

/* The value behind "charset=" or "encoding=" at s[0]. */
static struct span
declared_value(struct span s)
{
	size_t i = 0, start;

	while (i < s.len && (text_is_blank(s.data[i]) || s.data[i] == '='))
		i++;
	if (i < s.len && (s.data[i] == '"' || s.data[i] == '\''))
		i++;
	start = i;
	while (i < s.len && (text_is_alnum(s.data[i]) ||
	    strchr("-_:.", s.data[i]) != NULL) && s.data[i] != '\0')
		i++;
	return (struct span){s.data + start, i - start};
}

/* <?xml encoding="...">, <meta charset=...>, or <meta content="...;
 * charset=...">.  A page that can be read so far is not in UTF-16. */
static const struct charset *
by_page(struct span s)
{
	const struct charset *c;
	bool in_meta = false, in_xml = false;
	size_t i;

	if (s.len > DECLARED_WITHIN)
		s.len = DECLARED_WITHIN;
	for (i = 0; i + 9 < s.len; i++) {
		struct span rest = {s.data + i, s.len - i};

		if (s.data[i] == '<') {
			in_meta = strncasecmp(rest.data, "<meta", 5) == 0;
			in_xml = strncasecmp(rest.data, "<?xml", 5) == 0;
		}
		if ((!in_meta || strncasecmp(rest.data, "charset", 7) != 0) &&
		    (!in_xml || strncasecmp(rest.data, "encoding", 8) != 0))
			continue;
		rest = (struct span){rest.data + (in_meta ? 7 : 8),
		    rest.len - (in_meta ? 7 : 8)};
		c = charset_find(declared_value(rest));
		if (c != NULL)
			return strncmp(charset_name(c), "UTF-", 4) == 0 ? NULL
									: c;
	}
	return NULL;
}

/* ---- how a text looks ---------------------------------------------------- */

static bool
is_letter(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
		return true;
	default:
		return false;
	}
}

/* Marks that texts are full of. */
static bool
is_usual_mark(uint32_t c)
{
	return c == 0xA0 || c == 0xAB || c == 0xBB || c == 0xB0 || c == 0xA7 ||
	    c == 0xA9 || c == 0xAE || c == 0xA3 || c == 0xB7 || c == 0xBF ||
	    c == 0xA1 || c == 0xAD || c == 0xBD || c == 0xB2 || c == 0xB3 ||
	    (c >= 0x2010 && c <= 0x2026) || c == 0x20AC || c == 0x2116 ||
	    c == 0x2122 || c == 0x2212 || (c >= 0x3000 && c <= 0x303F) ||
	    (c >= 0xFF00 && c <= 0xFFEF);
}

static bool
is_no_character(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CC:
		return c != '\n' && c != '\t' && c != '\r' && c != '\f';
	default:
		return c == 0xFFFD || c == UTF8_INVALID;
	}
}

struct text_look {
	size_t characters, none; /* none: no characters of any script */
	size_t high;             /* beyond ASCII */
	size_t odd; /* of these: signs within words, capitals in their middle */
};

static struct text_look
look_at_text(struct span text)
{
	struct text_look look = {0, 0, 0, 0};
	uint32_t c, before = ' ';
	bool low_before = false, low;
	size_t at = 0;

	if (text.len > LOOK_BYTES)
		text.len = LOOK_BYTES;
	while (at < text.len) {
		c = utf8_next(text, &at);
		if (at == text.len && c == UTF8_INVALID)
			break; /* we cut it there */
		look.characters++;
		look.none += is_no_character(c);
		low = c < 0x80 ? c >= 'a' && c <= 'z'
			       : utf8proc_category((utf8proc_int32_t)c) ==
			UTF8PROC_CATEGORY_LL;
		if (c >= 0x80) {
			look.high++;
			if (!is_letter(c))
				look.odd += !is_usual_mark(c) ||
				    (c != 0x2019 && c != 0xAD && c < 0x2020 &&
				    is_letter(before) && at < text.len &&
				    text_is_alpha(text.data[at]));
			else
				look.odd += low_before && !low &&
				    utf8proc_category((utf8proc_int32_t)c) ==
				    UTF8PROC_CATEGORY_LU;
		}
		low_before = low;
		before = c;
	}
	return look;
}

/* Is it no text of any language? */
static bool
is_noise(struct span text, bool guessed)
{
	struct text_look look = look_at_text(text);

	if (look.none * 10 > look.characters)
		return true;
	return guessed && look.high >= 16 && look.odd * 5 > look.high;
}

/* ---- the guess ----------------------------------------------------------- */

/* Text of Western Europe; what is ambiguous in few letters goes there. */
static bool
is_western(const struct language *l)
{
	static const char *const codes[] = {"en", "de", "fr", "es", "it", "pt",
	    "nl", "sv", "da", "no", "fi", "id"};
	size_t i;

	for (i = 0; l != NULL && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i], l->code) == 0)
			return true;
	return false;
}

static bool
is_latin(const struct charset *c)
{
	static const char *const names[] = {"windows-1250", "windows-1252",
	    "windows-1254", "windows-1257", "ISO-8859-2", "ISO-8859-3",
	    "ISO-8859-4", "ISO-8859-10", "ISO-8859-13", "ISO-8859-14",
	    "ISO-8859-15", "ISO-8859-16", "IBM437", "IBM850", "IBM852",
	    "IBM865", "IBM775", "macintosh", "mac-centraleurope"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], charset_name(c)) == 0)
			return true;
	return false;
}

static const struct language *
language_in(const struct charset *c, struct span s)
{
	struct buf text = BUF_INIT(LANGUAGE_BYTES * 4);
	const struct language *l;

	if (s.len > LANGUAGE_BYTES)
		s.len = LANGUAGE_BYTES;
	(void)charset_decode(c, s, &text);
	l = language_guess((struct span){buf_text(&text), text.len});
	buf_release(&text);
	return l;
}

static size_t
oddness(const struct charset *c, struct span s)
{
	struct buf text = BUF_INIT((size_t)LOOK_BYTES * 4);
	struct text_look look;

	if (s.len > LOOK_BYTES)
		s.len = LOOK_BYTES;
	(void)charset_decode(c, s, &text);
	look = look_at_text((struct span){buf_text(&text), text.len});
	buf_release(&text);
	return look.odd + look.none * 2;
}

/* Which of Western Europe's charsets: in the wrong one, signs stand within
 * words. */
static const struct charset *
western(struct span s)
{
	static const char *const names[] = {"windows-1252", "IBM850",
	    "macintosh"};
	const struct charset *best = NULL, *c;
	size_t least = 0, odd, i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		c = charset_find(span_of(names[i]));
		odd = oddness(c, s);
		if (best == NULL || odd < least) {
			best = c;
			least = odd;
		}
	}
	return best;
}

/* ISO 8859 has nothing from 80 to 9F; Windows has, in sets like it. */
static const struct charset *
with_windows(const struct charset *c, struct span s)
{
	static const char *const pairs[][2] = {
	    {"ISO-8859-2", "windows-1250"}, {"ISO-8859-5", "windows-1251"},
	    {"ISO-8859-6", "windows-1256"}, {"ISO-8859-7", "windows-1253"},
	    {"ISO-8859-8", "windows-1255"}, {"ISO-8859-13", "windows-1257"},
	    {"ISO-8859-4", "windows-1257"}, {"ISO-8859-15", "windows-1252"}};
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80 &&
		    (unsigned char)s.data[i] < 0xA0)
			break;
	if (i == s.len)
		return c;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], charset_name(c)) == 0)
			return charset_find(span_of(pairs[i][1]));
	return c;
}

/* Ukrainian has four letters more than Russian, where KOI8-R draws lines. */
static const struct charset *
with_ukrainian(const struct charset *c, struct span s)
{
	size_t i;

	if (strcmp(charset_name(c), "KOI8-R") != 0)
		return c;
	for (i = 1; i < s.len; i++)
		if (memchr("\xA4\xA6\xA7\xAD\xB4\xB6\xB7\xBD", s.data[i], 8) !=
			NULL && (unsigned char)s.data[i - 1] >= 0xC0)
			return charset_find(SPAN("KOI8-U"));
	return c;
}

/* The detector is right of long texts; of a few letters beyond ASCII it makes
 * too much. */
static const struct charset *
by_looks(struct span s)
{
	const struct charset *c = detect_charset(s);
	const struct language *l;
	size_t high = 0, i;

	/* It has an opinion of UTF-8 too; ours is made already. */
	if (c == NULL || charset_is_utf8(c) ||
	    strcmp(charset_name(c), "windows-1252") == 0)
		return western(s);
	if (!is_latin(c))
		return with_ukrainian(with_windows(c, s), s);
	for (i = 0; i < s.len && high < SOME_LETTERS; i++)
		high += (unsigned char)s.data[i] >= 0x80;
	l = language_in(charset_find(SPAN("windows-1252")), s);
	if (high < FEW_LETTERS ? l == NULL || is_western(l)
			       : is_western(l) && (high < SOME_LETTERS ||
		strncmp(charset_name(c), "mac", 3) == 0))
		return western(s);
	return with_windows(c, s);
}

/* ---- all of it ----------------------------------------------------------- */

bool
encoding_is_known(const char *name)
{
	return charset_find(span_of(name)) != NULL;
}

static bool
decode(const struct charset *c, struct span s, struct buf *out,
    struct encoding_found *found)
{
	size_t before = out->len;
	struct span text;

	found->name = charset_name(c);
	found->bad = charset_decode(c, s, out);
	text = (struct span){buf_text(out) + before, out->len - before};
	if (buf_err(out) == ERR_NONE && is_noise(text, found->guessed)) {
		buf_truncate(out, before);
		found->fault = found->guessed ? FAULT_NOISE : FAULT_BINARY;
		return false;
	}
	unify(out, before);
	return true;
}

bool
encoding_to_utf8(struct span s, enum encoding_kind kind, const char *owner,
    struct buf *out, struct encoding_found *found)
{
	const struct charset *utf8 = charset_find(SPAN("UTF-8")), *c;
	size_t before = out->len;
	struct utf8_look look;

	*found = (struct encoding_found){.name = charset_name(utf8)};
	c = by_mark(&s);
	if (c == NULL)
		c = by_zeros(s);
	if (c != NULL)
		return decode(c, s, out, found);
	if (is_binary(s)) {
		found->fault = FAULT_BINARY;
		return false;
	}
	look = look_at_utf8(s);
	if (look.bad == 0 && look.escapes) {
		c = kind == ENCODING_PAGE ? by_page(s) : NULL;
		c = c == NULL ? detect_charset(s) : c;
		if (c != NULL && (strncmp(charset_name(c), "ISO-2022", 8) == 0
		    || strncmp(charset_name(c), "HZ", 2) == 0))
			return decode(c, s, out, found);
	}
	if (look.bad == 0 || look.good >= look.bad * 2 ||
	    (look.cut && look.good > 0))
		return decode(utf8, s, out, found);
	c = kind == ENCODING_PAGE ? by_page(s) : NULL;
	if (c == NULL && owner != NULL)
		c = charset_find(span_of(owner));
	if (c != NULL && decode(c, s, out, found)) {
		if (found->bad * 20 <= (int64_t)look.bad + 20)
			return true;
		buf_truncate(out, before); /* it is not in what it says */
	}
	*found = (struct encoding_found){.name = NULL};
	found->guessed = true;
	return decode(by_looks(s), s, out, found);
}
