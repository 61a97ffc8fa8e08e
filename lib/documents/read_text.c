/*
 * Plain text, Markdown and tables.  Plain text is read as Markdown without
 * its marks: both are lines that make paragraphs.
 */
#include "documents/read_text.h"

#include <string.h>

#include "base/utf8.h"
#include "documents/tables.h"

#define PARAGRAPH_MAX ((size_t)4 << 20)
#define TITLE_LINES_MAX 5 /* above the header of a table */

struct lines {
	struct span rest;
	bool markdown;
	struct segmenter *out;
	struct buf paragraph; /* lines so far, joined with blanks */
	struct span first;    /* its first line */
	size_t n_lines;
	struct span header;   /* of the table being read */
	bool in_table, in_code;
};

/* ---- inline marks -------------------------------------------------------- */

/* [text](target): writes text, and target when it is an address. */
static size_t
put_link(struct span s, size_t at, struct buf *out)
{
	const char *close = memchr(s.data + at, ']', s.len - at), *end;
	struct span label, target;

	if (close == NULL || close + 1 >= s.data + s.len || close[1] != '(')
		return 0;
	end = memchr(close, ')', (size_t)(s.data + s.len - close));
	if (end == NULL)
		return 0;
	label = (struct span){s.data + at + 1,
	    (size_t)(close - s.data) - at - 1};
	target = (struct span){close + 2, (size_t)(end - close) - 2};
	buf_add(out, label.data, label.len);
	if (span_starts(target, "http") && !span_equal(label, target) &&
	    (at == 0 || s.data[at - 1] != '!'))
		buf_printf(out, " (%.*s)", (int)target.len, target.data);
	return (size_t)(end - s.data) - at + 1;
}

static bool
is_word_byte(struct span s, size_t at)
{
	return at < s.len &&
	    (text_is_alnum(s.data[at]) || (unsigned char)s.data[at] >= 0x80);
}

/* Adds a line without emphasis, code marks and link targets. */
static void
put_inline(struct span s, struct buf *out)
{
	size_t at, used;
	char c;

	for (at = 0; at < s.len; at++) {
		used = at;
		while (at < s.len && strchr("\\![`*_", s.data[at]) == NULL)
			at++;
		buf_add(out, s.data + used, at - used);
		if (at == s.len)
			return;
		c = s.data[at];
		if (c == '\\' && at + 1 < s.len &&
		    strchr("\\`*_{}[]()#+-.!|<>", s.data[at + 1]) != NULL) {
			buf_addc(out, s.data[++at]);
			continue;
		}
		if (c == '!' && at + 1 < s.len && s.data[at + 1] == '[')
			continue;
		if (c == '[' && (used = put_link(s, at, out)) > 0) {
			at += used - 1;
			continue;
		}
		if (c == '`')
			continue;
		if (c == '*' && !(at > 0 && is_word_byte(s, at - 1) &&
		    is_word_byte(s, at + 1)) && (is_word_byte(s, at + 1) ||
		    (at > 0 && s.data[at - 1] != ' ') ||
		    (at + 1 < s.len && s.data[at + 1] == '*')))
			continue;
		if (c == '_' && !(at > 0 && is_word_byte(s, at - 1) &&
		    is_word_byte(s, at + 1)))
			continue;
		buf_addc(out, c);
	}
}

/* ---- paragraphs ---------------------------------------------------------- */

/* "Q: How ...?" and its sisters; 0 or the length of the mark. */
static size_t
question_mark_len(struct span line, bool *answer)
{
	static const struct {
		const char *text;
		bool answer;
	} marks[] = {{"Q:", false}, {"A:", true}, {"Q.", false}, {"F:", false},
	    {"P:", false}, {"R:", true}, {"D:", false}, {"В:", false},
	    {"О:", true}, {"问:", false}, {"问：", false}, {"答:", true},
	    {"答：", true}, {"問：", false}, {"質問：", false}, {"回答：", true},
	    {"Question:", false}, {"Answer:", true}, {"Frage:", false},
	    {"Antwort:", true}, {"Pregunta:", false}, {"Respuesta:", true},
	    {"Вопрос:", false}, {"Ответ:", true}, {"س:", false}, {"ج:", true}};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (span_starts(line, marks[i].text)) {
			*answer = marks[i].answer;
			return strlen(marks[i].text);
		}
	return 0;
}

static bool
is_question(struct span line)
{
	return line.len > 0 && line.len < 200 &&
	    (span_ends(line, "?") || span_ends(line, "？") ||
		span_ends(line, "؟")) &&
	    sentence_end(line) == line.len;
}

/* A paragraph that is one bold line. */
static bool
is_bold_line(const struct lines *l)
{
	return l->markdown && l->n_lines == 1 && l->first.len > 4 &&
	    l->first.len < 200 && span_starts(l->first, "**") &&
	    span_ends(l->first, "**");
}

static void
end_paragraph(struct lines *l)
{
	struct span text = {buf_text(&l->paragraph), l->paragraph.len};

	if (l->n_lines > 0) {
		if (l->n_lines == 1 && (is_question(text) || is_bold_line(l)))
			segmenter_heading(l->out, SEGMENT_LEVELS, text);
		else
			segmenter_text(l->out, text);
	}
	buf_reset(&l->paragraph);
	l->n_lines = 0;
}

static void
add_line(struct lines *l, struct span line)
{
	if (l->n_lines == 0)
		l->first = line;
	else
		buf_addc(&l->paragraph, l->in_code ? '\n' : ' ');
	if (l->markdown && !l->in_code)
		put_inline(line, &l->paragraph);
	else
		buf_add(&l->paragraph, line.data, line.len);
	l->n_lines++;
}

static void
put_heading(struct lines *l, int level, struct span text)
{
	struct buf plain = BUF_INIT(4096);

	end_paragraph(l);
	put_inline(text, &plain);
	segmenter_heading(l->out, level,
	    (struct span){buf_text(&plain), plain.len});
	buf_release(&plain);
}

/* "## Heading ##": its level, or 0. */
static int
atx_level(struct span *line)
{
	size_t n = 0;

	while (n < line->len && line->data[n] == '#')
		n++;
	if (n == 0 || n > 6 || (n < line->len && !text_is_blank(line->data[n])))
		return 0;
	*line = span_trim((struct span){line->data + n, line->len - n});
	while (line->len > 0 && line->data[line->len - 1] == '#')
		line->len--;
	*line = span_trim(*line);
	return (int)n;
}

static bool
is_all(struct span line, const char *chars, size_t min)
{
	size_t i;

	for (i = 0; i < line.len; i++)
		if (strchr(chars, line.data[i]) == NULL)
			return false;
	return line.len >= min;
}

/* "- item", "* item", "1. item", "2) item" */
static bool
is_item(struct span line)
{
	size_t n = 0;

	if (line.len > 2 && strchr("-*+", line.data[0]) != NULL)
		return line.data[1] == ' ';
	if (span_starts(line, "• "))
		return true;
	while (n < line.len && n < 3 && text_is_digit(line.data[n]))
		n++;
	return n > 0 && n + 1 < line.len &&
	    (line.data[n] == '.' || line.data[n] == ')') &&
	    line.data[n + 1] == ' ';
}

/* A line of a Markdown table; true when it was one. */
static bool
take_table_line(struct lines *l, struct span line)
{
	struct span next = l->rest;

	if (!l->markdown || line.len < 3 ||
	    memchr(line.data, '|', line.len) == NULL) {
		l->in_table = false;
		return false;
	}
	if (l->in_table) {
		segmenter_row(l->out, l->header, line);
		return true;
	}
	next = span_trim(span_cut(&next, '\n'));
	if (!is_all(next, "|-: \t", 3) || memchr(next.data, '-', next.len) ==
		NULL)
		return false;
	end_paragraph(l);
	(void)span_cut(&l->rest, '\n');
	l->header = line;
	l->in_table = true;
	return true;
}

/* The line under a paragraph that makes it a heading: === or ---. */
static bool
take_underline(struct lines *l, struct span line)
{
	if (l->n_lines != 1 || l->first.len > 200 || line.len < 3 ||
	    (!is_all(line, "=", 3) && !(l->markdown && is_all(line, "-", 3))))
		return false;
	l->n_lines = 0;
	segmenter_heading(l->out, line.data[0] == '=' ? 1 : 2,
	    (struct span){buf_text(&l->paragraph), l->paragraph.len});
	buf_reset(&l->paragraph);
	return true;
}

static void
take_markdown_line(struct lines *l, struct span raw, struct span line)
{
	struct span title = line;
	bool answer;
	size_t mark;
	int level;

	if (l->markdown &&
	    (span_starts(line, "```") || span_starts(line, "~~~"))) {
		end_paragraph(l);
		l->in_code = !l->in_code;
		return;
	}
	if (l->in_code) {
		add_line(l, raw);
		return;
	}
	if (line.len == 0) {
		l->in_table = false;
		end_paragraph(l);
		return;
	}
	if (take_table_line(l, line) || take_underline(l, line))
		return;
	level = l->markdown ? atx_level(&title) : 0;
	if (level > 0) {
		put_heading(l, level, title);
		return;
	}
	if (l->markdown && l->n_lines == 0 && is_all(line, "-*_ ", 3))
		return; /* a rule */
	mark = question_mark_len(line, &answer);
	if (mark > 0) {
		line = span_trim((struct span){line.data + mark,
		    line.len - mark});
		end_paragraph(l);
		if (!answer) {
			put_heading(l, SEGMENT_LEVELS, line);
			return;
		}
	}
	if (is_item(line))
		end_paragraph(l);
	while (l->markdown && line.len > 0 && line.data[0] == '>')
		line = span_trim((struct span){line.data + 1, line.len - 1});
	add_line(l, line);
}

/* "title: x", "  - y", "# z": a line of YAML; *key: of the first kind. */
static bool
is_setting(struct span line, bool *key)
{
	size_t i = 0;

	*key = false;
	if (span_trim(line).len == 0 || line.data[0] == '#' ||
	    text_is_blank(line.data[0]) || span_starts(line, "- "))
		return true;
	while (i < line.len && (text_is_alnum(line.data[i]) ||
	    (line.data[i] != '\0' && strchr("_-.\"'", line.data[i]) != NULL)))
		i++;
	*key = i > 0 && i < line.len && line.data[i] == ':' &&
	    (i + 1 == line.len || text_is_blank(line.data[i + 1]));
	return *key;
}

/* "---" lines around settings at the top; a title among them is used.  A line
 * of dashes above anything else is a rule. */
static void
skip_front_matter(struct lines *l)
{
	struct span rest = l->rest, line, title = SPAN_NONE, block;
	bool first = true, key;

	if (!span_is(span_trim(span_cut(&rest, '\n')), "---"))
		return;
	block = rest;
	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		if (span_is(span_trim(line), "---") ||
		    span_is(span_trim(line), "..."))
			break;
		if (!is_setting(line, &key) || (first && !key))
			return;
		first = false;
		if (span_starts(line, "title:"))
			title = span_trim(
			    (struct span){line.data + 6, line.len - 6});
		if (rest.len == 0)
			return;
	}
	if (first)
		return;
	block.len -= rest.len;
	l->rest = rest;
	if (title.len > 2 && (title.data[0] == '"' || title.data[0] == '\''))
		title = (struct span){title.data + 1, title.len - 2};
	segmenter_omit(l->out, OMIT_SETTINGS, segmenter_count(block));
	if (title.len > 0)
		segmenter_title(l->out, title);
}

static void
read_lines(struct span text, bool markdown, struct segmenter *s)
{
	struct lines l = {.rest = text, .markdown = markdown, .out = s};
	struct span raw;

	buf_init(&l.paragraph, PARAGRAPH_MAX);
	if (markdown)
		skip_front_matter(&l);
	while (l.rest.len > 0 && s->err == ERR_NONE) {
		raw = span_cut(&l.rest, '\n');
		take_markdown_line(&l, raw, span_trim(raw));
		if (l.paragraph.len > PARAGRAPH_MAX / 2)
			end_paragraph(&l);
	}
	end_paragraph(&l);
	if (buf_err(&l.paragraph) != ERR_NONE && s->err == ERR_NONE)
		s->err = buf_err(&l.paragraph);
	buf_release(&l.paragraph);
}

void
read_plain(struct span text, struct segmenter *s)
{
	read_lines(text, false, s);
}

void
read_markdown(struct span text, struct segmenter *s)
{
	read_lines(text, true, s);
}

/* "sep=;", which spreadsheets write above the header; moves behind it. */
static char
take_separator_line(struct span *text)
{
	struct span rest = *text, line = span_trim(span_cut(&rest, '\n'));
	char separator;

	if (text->len < 5 || strncasecmp(text->data, "sep=", 4) != 0)
		return '\0';
	separator = text->data[4];
	if (line.len > 5 || strchr(",;\t|", separator) == NULL)
		return '\0';
	*text = rest;
	return separator;
}

/* Cells with something in them, 3 at the most. */
static size_t
count_cells(struct span record, char separator)
{
	struct span cells[64];
	struct arena arena;
	size_t n, i, filled = 0;

	arena_init(&arena, (size_t)1 << 20);
	n = table_cells(record, separator, &arena, cells, 64);
	for (i = 0; i < n && filled < 3; i++)
		filled += cells[i].len > 0;
	arena_release(&arena);
	return filled;
}

/* Lines of one cell above the first of several are the table's title. */
static void
take_titles(struct span *text, char separator, struct segmenter *s)
{
	struct span rest = *text, record, titles[TITLE_LINES_MAX], cells[64];
	struct arena arena;
	size_t n = 0, i, k, cell_count;

	for (;;) {
		struct span before = rest;

		record = table_record(&rest, separator);
		if (record.data == NULL || n == TITLE_LINES_MAX)
			return; /* a table of one column */
		if (span_trim(record).len == 0)
			continue;
		if (count_cells(record, separator) > 1) {
			*text = before;
			break;
		}
		titles[n++] = record;
	}
	arena_init(&arena, (size_t)1 << 20);
	for (i = 0; i < n; i++) {
		cell_count = table_cells(titles[i], separator, &arena, cells,
		    64);
		for (k = 0; k < cell_count; k++)
			if (cells[k].len > 0)
				segmenter_heading(s, i == 0 ? 1 : 2, cells[k]);
	}
	arena_release(&arena);
}

void
read_table(struct span text, char separator, struct segmenter *s)
{
	struct span header = SPAN_NONE, record;
	char said = take_separator_line(&text);
	size_t rows = 0;

	if (said != '\0')
		separator = said;
	if (separator == '\0')
		separator = table_guess_separator(text);
	if (separator != '\0')
		take_titles(&text, separator, s);
	while (s->err == ERR_NONE) {
		record = table_record(&text, separator);
		if (record.data == NULL)
			break;
		if (span_trim(record).len == 0)
			continue;
		if (header.data == NULL) {
			header = record;
			continue;
		}
		if (rows++ == 0)
			s->taken += segmenter_count(header);
		segmenter_row(s, header, record);
	}
	if (rows == 0)
		segmenter_text(s, header);
}
