/* Joins blocks to segments, and knows where sentences end. */
#include "documents/segments.h"

#include <string.h>

#include "base/utf8.h"

/* Headers repeated in rows: so many times the text, and a MB. */
#define REPEATED_MAX ((int64_t)1 << 20)
#define REPEATED_TIMES 16

void
segmenter_init(struct segmenter *s, segment_fn emit, void *arg)
{
	size_t i;

	*s = (struct segmenter){.emit = emit, .arg = arg};
	for (i = 0; i < SEGMENT_LEVELS; i++)
		buf_init(&s->headings[i], SEGMENT_HEADING_MAX + 1);
	buf_init(&s->content, SEGMENT_ROW_MAX * 2);
	buf_init(&s->path, SEGMENT_LEVELS * (SEGMENT_HEADING_MAX + 8));
}

static struct span
heading_path(struct segmenter *s)
{
	size_t i;

	buf_reset(&s->path);
	for (i = 0; i < SEGMENT_LEVELS; i++) {
		if (s->headings[i].len == 0)
			continue;
		if (s->path.len > 0)
			buf_adds(&s->path, " > ");
		buf_add(&s->path, s->headings[i].data, s->headings[i].len);
	}
	return (struct span){buf_text(&s->path), s->path.len};
}

static void
emit(struct segmenter *s, bool is_row)
{
	struct segment segment = {.is_row = is_row};
	size_t i;

	segment.content = (struct span){buf_text(&s->content), s->content.len};
	if (segment.content.len > 0 && s->err == ERR_NONE) {
		segment.heading = heading_path(s);
		s->err = buf_err(&s->content) != ERR_NONE
		    ? buf_err(&s->content)
		    : s->emit(s->arg, &segment);
		s->segments++;
		for (i = 0; i < SEGMENT_LEVELS; i++)
			s->told[i] = true;
	}
	buf_reset(&s->content);
}

/* Forgets the headings from this level on; the lowest of them, when nothing
 * stood below it, is text. */
static void
end_headings(struct segmenter *s, int level)
{
	int i = SEGMENT_LEVELS;

	emit(s, false);
	while (i > level && s->headings[i - 1].len == 0)
		i--;
	if (i > level && !s->told[i - 1]) {
		buf_add(&s->content, s->headings[i - 1].data,
		    s->headings[i - 1].len);
		buf_reset(&s->headings[i - 1]);
		emit(s, false);
	}
	for (i = level; i < SEGMENT_LEVELS; i++)
		buf_reset(&s->headings[i]);
}

static void
set_heading(struct segmenter *s, int level, struct span text)
{
	level = level < 1 ? 1 : level > SEGMENT_LEVELS ? SEGMENT_LEVELS : level;
	end_headings(s, level - 1);
	buf_add(&s->headings[level - 1], text.data, text.len);
	s->told[level - 1] = false;
}

void
segmenter_heading(struct segmenter *s, int level, struct span text)
{
	text = span_trim(text);
	if (text.len <= SEGMENT_HEADING_MAX) {
		s->taken += segmenter_count(text);
		set_heading(s, level, text);
		return;
	}
	/* That is no heading but a paragraph in large letters. */
	set_heading(s, level, SPAN_NONE);
	segmenter_text(s, text);
}

void
segmenter_title(struct segmenter *s, struct span text)
{
	text = span_trim(text);
	while (text.len > SEGMENT_HEADING_MAX)
		text = utf8_prefix(text, utf8_length(text) * 3 / 4);
	set_heading(s, 1, text);
	s->told[0] = true;
}

int64_t
segmenter_count(struct span text)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < text.len; i++)
		n += !text_is_blank(text.data[i]);
	return n;
}

void
segmenter_omit(struct segmenter *s, enum omission why, int64_t bytes)
{
	s->omitted[why] += bytes;
}

int
segmenter_share(const struct segmenter *s, enum omission *why)
{
	int64_t omitted = 0;
	int i;

	*why = OMIT_NAVIGATION;
	for (i = 0; i < OMIT_COUNT; i++) {
		omitted += s->omitted[i];
		if (s->omitted[i] > s->omitted[*why])
			*why = (enum omission)i;
	}
	return omitted == 0 ? 100
			    : (int)(s->taken * 100 / (s->taken + omitted));
}

const char *
omission_text(enum omission why)
{
	static const char *const texts[OMIT_COUNT] = {
	    [OMIT_NAVIGATION] = "navigation",
	    [OMIT_ASIDE] = "asides and footers",
	    [OMIT_CONTROL] = "buttons and fields",
	    [OMIT_SCRIPT_ONLY] = "notices about JavaScript",
	    [OMIT_NUMBERS] = "line numbers",
	    [OMIT_SETTINGS] = "settings at its top",
	    [OMIT_HIDDEN] = "hidden text",
	    [OMIT_DELETED] = "deleted or moved text",
	};

	return texts[why];
}

/* The longest run of whole sentences that fits, at least one piece. */
static size_t
cut_at(struct span text)
{
	size_t end = 0, next;
	struct span rest;

	while (end < text.len) {
		rest = (struct span){text.data + end, text.len - end};
		next = end + sentence_end(rest);
		if (next > SEGMENT_MAX)
			break;
		end = next;
		if (end >= SEGMENT_GOAL)
			break;
	}
	if (end > 0)
		return end;
	end = SEGMENT_MAX < text.len ? SEGMENT_MAX : text.len;
	for (next = end; next > SEGMENT_GOAL; next--)
		if (text_is_blank(text.data[next - 1]))
			return next;
	while (end < text.len && end > 1 &&
	    ((unsigned char)text.data[end] & 0xC0) == 0x80)
		end--;
	return end;
}

void
segmenter_text(struct segmenter *s, struct span text)
{
	size_t end;

	text = span_trim(text);
	if (text.len == 0)
		return;
	s->taken += segmenter_count(text);
	if (s->content.len > 0 && s->content.len + text.len > SEGMENT_GOAL)
		emit(s, false);
	while (text.len > SEGMENT_MAX && s->err == ERR_NONE) {
		end = cut_at(text);
		buf_add(&s->content, text.data, end);
		emit(s, false);
		text = span_trim(
		    (struct span){text.data + end, text.len - end});
	}
	if (text.len == 0)
		return;
	if (s->content.len > 0)
		buf_addc(&s->content, '\n');
	buf_add(&s->content, text.data, text.len);
}

void
segmenter_row(struct segmenter *s, struct span header, struct span row)
{
	/* A long header over short rows would make many times the text. */
	if (header.len + row.len > SEGMENT_ROW_MAX ||
	    s->repeated > REPEATED_MAX + s->taken * REPEATED_TIMES) {
		s->long_rows += header.len + row.len > SEGMENT_ROW_MAX;
		segmenter_text(s, row);
		return;
	}
	emit(s, false);
	s->taken += segmenter_count(row);
	s->repeated += (int64_t)header.len;
	buf_add(&s->content, header.data, header.len);
	buf_addc(&s->content, '\n');
	buf_add(&s->content, row.data, row.len);
	emit(s, true);
}

enum err
segmenter_end(struct segmenter *s)
{
	size_t i;

	end_headings(s, 0);
	for (i = 0; i < SEGMENT_LEVELS; i++)
		buf_release(&s->headings[i]);
	buf_release(&s->content);
	buf_release(&s->path);
	return s->err;
}

/* Is this the end of an abbreviation, an initial or an ordinal? */
static bool
is_short_form(struct span before)
{
	static const char *const forms[] = {"mr", "mrs", "ms", "dr", "prof",
	    "st", "no", "nr", "vs", "etc", "approx", "inc", "ltd", "co", "fig",
	    "e.g", "i.e", "z.b", "bzw", "ca", "usw", "d.h", "u.a", "art", "abs",
	    "sr", "sra", "p.ex", "mme", "pag", "max", "min", "str", "tel",
	    "т.е", "т.д", "ул", "г", "руб"};
	size_t start = before.len, i;
	struct span word;

	while (start > 0 && !text_is_blank(before.data[start - 1]) &&
	    before.data[start - 1] != '(')
		start--;
	word = (struct span){before.data + start, before.len - start};
	if (word.len == 1 && text_is_alpha(word.data[0]))
		return true;
	for (i = 0; i < word.len && text_is_digit(word.data[i]); i++)
		continue;
	if (word.len > 0 && word.len <= 2 && i == word.len)
		return true; /* "am 3. Mai" */
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (span_is_nocase(word, forms[i]))
			return true;
	return false;
}

/* Marks after which a sentence ends whatever follows. */
static bool
is_full_stop(uint32_t c)
{
	return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61 ||
	    c == 0x0964 || c == 0x0965 || c == 0x06D4 || c == 0x061F;
}

static bool
is_closer(uint32_t c)
{
	return c == ')' || c == '"' || c == '\'' || c == ']' || c == 0x201D ||
	    c == 0x2019 || c == 0xBB || c == 0x300D || c == 0x300F ||
	    c == 0xFF09;
}

size_t
sentence_end(struct span text)
{
	size_t at = 0, before, end;
	uint32_t c;

	while (at < text.len) {
		before = at;
		c = utf8_next(text, &at);
		if (c == '\n')
			return before == 0 ? at : before;
		if (c != '.' && c != '!' && c != '?' && !is_full_stop(c))
			continue;
		for (end = at; end < text.len;) {
			size_t next = end;
			uint32_t d = utf8_next(text, &next);

			if (!is_closer(d) && d != '!' && d != '?' && d != '.' &&
			    !is_full_stop(d))
				break;
			end = next;
		}
		if (end >= text.len)
			return text.len;
		at = end;
		if (is_full_stop(c))
			return end;
		if (!text_is_blank(text.data[end]))
			continue;
		if (c == '.' &&
		    is_short_form((struct span){text.data, before}))
			continue;
		return end;
	}
	return text.len;
}
