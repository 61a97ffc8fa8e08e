/*
 * pdftotext in its raw order, which is the order a page was written in: rows
 * of tables stay lines, columns follow each other, and hyphens at the ends of
 * lines are kept.  By default it takes those away and joins the lines: "555-"
 * and "1234" become 5551234, which a bot would then quote.  Which hyphens only
 * divide a word is decided here, from the document itself.
 */
#include "documents/convert.h"

#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "base/text.h"

#define LIMIT_MS 60000
#define HYPHENATED_LINES 20 /* one line in so many ends in a hyphen */
#define WORD_MAX 64
#define LINE_MAX_BYTES 512 /* longer ones are all alike */
#define LOOKED_MAX ((size_t)2 << 30) /* bytes of a text looked through */

/* ---- hyphens ------------------------------------------------------------- */

static bool
is_letter(char c)
{
	return text_is_alpha(c) || (unsigned char)c >= 0x80;
}

static bool
is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* The length of the word that ends (begins) at s's end (start). */
static size_t
word_before(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_letter(s.data[s.len - 1 - n]))
		n++;
	return n;
}

static size_t
word_behind(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_letter(s.data[n]))
		n++;
	return n;
}

static bool
occurs(struct span text, struct span a, const char *between, struct span b)
{
	char word[WORD_MAX * 2 + 2];
	size_t n = 0;

	memcpy(word, a.data, a.len);
	n = a.len;
	memcpy(word + n, between, strlen(between));
	n += strlen(between);
	memcpy(word + n, b.data, b.len);
	return memmem(text.data, text.len, word, n + b.len) != NULL;
}

/* Does the hyphen between two lines only divide a word?  `hyphenated`: many
 * lines of the document end so. */
static bool
divides_word(struct span text, struct span before, struct span behind,
    bool hyphenated)
{
	struct span a, b;

	a.len = word_before(before);
	a.data = before.data + before.len - a.len;
	b.len = word_behind(behind);
	b.data = behind.data;
	if (a.len < 2 || b.len < 2 || a.len > WORD_MAX || b.len > WORD_MAX ||
	    !is_lower(b.data[0]) || !is_lower(a.data[a.len - 1]))
		return false;
	if (occurs(text, a, "", b))
		return true;
	return hyphenated && !occurs(text, a, "-", b);
}

static bool
is_hyphenated(struct span text)
{
	size_t lines = 0, hyphens = 0;
	struct span line;

	while (text.len > 0) {
		line = span_trim(span_cut(&text, '\n'));
		lines += line.len > 0;
		hyphens += line.len > 1 && line.data[line.len - 1] == '-' &&
		    is_letter(line.data[line.len - 2]);
	}
	return hyphens > 2 && hyphens * HYPHENATED_LINES > lines;
}

/* How long lines are that end because the next word has no room: nine in ten
 * lines are not longer. */
static size_t
full_line(struct span text)
{
	size_t counts[LINE_MAX_BYTES + 1] = {0}, lines = 0, n = 0, len;

	while (text.len > 0) {
		len = span_trim(span_cut(&text, '\n')).len;
		counts[len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES]++;
		lines++;
	}
	for (len = 0; len < LINE_MAX_BYTES && n * 10 < lines * 9; len++)
		n += counts[len];
	return len;
}

/* Paragraphs, rows and headings end with a short line; the raw order has no
 * empty lines between them.  Lines that end in a hyphen are joined with the
 * next, with the hyphen or without it. */
static void
join_hyphens(struct span text, struct buf *out)
{
	bool hyphenated = is_hyphenated(text);
	size_t full = full_line(text);
	struct span rest = text, line;
	size_t looked = 0;

	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		while (line.len > 0 && text_is_blank(line.data[line.len - 1]))
			line.len--;
		if (line.len < 2 || line.data[line.len - 1] != '-' ||
		    !text_is_alnum(line.data[line.len - 2]) || rest.len == 0 ||
		    (!text_is_alnum(rest.data[0]) &&
		    !is_letter(rest.data[0]))) {
			buf_add(out, line.data, line.len);
			buf_adds(out, line.len * 10 < full * 7 ? "\n\n"
							      : "\n");
			continue;
		}
		line.len--;
		buf_add(out, line.data, line.len);
		/* Looking through all of a long text for each line of it
		 * would take for ever. */
		looked++;
		if (!divides_word((struct span){text.data,
			looked * text.len > LOOKED_MAX ? 0 : text.len},
			line, rest, hyphenated))
			buf_addc(out, '-');
	}
}

/* ---- the program --------------------------------------------------------- */

bool
convert_has_pdf(void)
{
	return program_exists("pdftotext");
}

/* What needs a password names how it is encrypted, in plain. */
static bool
is_encrypted(struct span bytes)
{
	static const char mark[] = "/Encrypt";

	return bytes.len > 0 &&
	    memmem(bytes.data, bytes.len, mark, sizeof(mark) - 1) != NULL;
}

enum err
convert_pdf(const char *path, struct span bytes, struct buf *text,
    const char **remark, bool *missing)
{
	struct buf raw = BUF_INIT(text->max);
	char *argv[] = {(char[]){"pdftotext"}, (char[]){"-q"},
	    (char[]){"-raw"}, (char[]){"-enc"}, (char[]){"UTF-8"},
	    (char[]){"-nopgbrk"}, (char[]){"-eol"}, (char[]){"unix"},
	    NULL, (char[]){"-"}, NULL};
	int status;

	*missing = false;
	if (path == NULL) {
		*remark = "has no file to convert";
		return ERR_INPUT;
	}
	argv[8] = strdupa(path);
	status = program_output(argv, LIMIT_MS, &raw);
	if (status == 0)
		join_hyphens((struct span){buf_text(&raw), raw.len}, text);
	*missing = status == PROGRAM_MISSING || status == 127;
	*remark = NULL;
	if (*missing)
		*remark = "needs pdftotext (package poppler-utils), which is "
			  "not installed";
	else if (status == PROGRAM_STOPPED)
		*remark = "took too long to convert";
	else if (status != 0 && is_encrypted(bytes))
		*remark = "is locked with a password";
	else if (status != 0)
		*remark = "is no PDF that pdftotext can read";
	else if (span_trim((struct span){buf_text(text), text->len}).len == 0)
		*remark = "has no text in it (a scan?)";
	buf_release(&raw);
	return *remark == NULL ? buf_err(text) : ERR_INPUT;
}
