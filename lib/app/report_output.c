#include "app/report_output.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "json/jsonout.h"

#define LINE_MAX_BYTES ((size_t)64 << 20)
#define PAGE_SIZE 50

/* Does a terminal, or whoever reads the line, do something at it?  Controls
 * (C0, DEL, C1), separators of lines, marks that turn text around. */
static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	    code == 0x2028 || code == 0x2029 ||
	    (code >= 0x200e && code <= 0x200f) ||
	    (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069) ||
	    (code >= 0xd800 && code <= 0xdfff);
}

/* Text without them: each is a blank. */
static void
add_plain(struct buf *out, struct span text)
{
	size_t at = 0, from;
	uint32_t code;

	while (at < text.len) {
		from = at;
		code = utf8_next(text, &at);
		if (code == UTF8_INVALID)
			buf_adds(out, "\xEF\xBF\xBD");
		else if (is_control(code))
			buf_addc(out, ' ');
		else
			buf_add(out, text.data + from, at - from);
	}
}

/* A spreadsheet takes = + - @ at the beginning for a formula. */
static void
add_csv(struct buf *out, struct span text)
{
	struct buf plain = BUF_INIT(LINE_MAX_BYTES);
	size_t i;

	add_plain(&plain, text);
	buf_addc(out, '"');
	i = 0;
	while (i < plain.len && plain.data[i] == ' ')
		i++;
	if (i < plain.len && strchr("=+-@", plain.data[i]) != NULL)
		buf_addc(out, '\'');
	for (i = 0; i < plain.len; i++) {
		if (plain.data[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, plain.data[i]);
	}
	buf_addc(out, '"');
	buf_release(&plain);
}

/* jsonout leaves what JSON allows; a terminal might not. */
static void
add_json(struct buf *out, struct span text)
{
	struct buf plain = BUF_INIT(LINE_MAX_BYTES);
	size_t at = 0, from;
	struct span all;
	uint32_t code;

	jsonout_string(&plain, text);
	all = (struct span){buf_text(&plain), plain.len};
	while (at < all.len) {
		from = at;
		code = utf8_next(all, &at);
		if (code != UTF8_INVALID && is_control(code))
			buf_printf(out, "\\u%04x", (unsigned)code);
		else
			buf_add(out, all.data + from, at - from);
	}
	buf_release(&plain);
}

void
report_cell(struct buf *out, enum report_format format, struct span text)
{
	switch (format) {
	case REPORT_TEXT:
		add_plain(out, text);
		break;
	case REPORT_CSV:
		add_csv(out, text);
		break;
	case REPORT_JSON:
		if (text.data == NULL)
			buf_adds(out, "null");
		else
			add_json(out, text);
		break;
	}
}

/* A cell of text at its width. */
static void
add_column(struct report *r, struct span text)
{
	struct buf plain = BUF_INIT(LINE_MAX_BYTES);
	int width = r->columns[r->column].width;
	struct span shown;
	size_t n;

	add_plain(&plain, text);
	shown = (struct span){buf_text(&plain), plain.len};
	if (width > 0)
		shown = utf8_prefix(shown, (size_t)width);
	buf_add(&r->line, shown.data, shown.len);
	if (r->column + 1 < r->n_columns) {
		for (n = utf8_length(shown); n < (size_t)width; n++)
			buf_addc(&r->line, ' ');
		buf_adds(&r->line, "  ");
	}
	buf_release(&plain);
}

static void
end_cell(struct report *r)
{
	if (++r->column < r->n_columns)
		return;
	if (r->format == REPORT_JSON)
		buf_addc(&r->line, '}');
	else
		buf_addc(&r->line, '\n');
	(void)fwrite(buf_text(&r->line), 1, r->line.len, stdout);
	buf_reset(&r->line);
	r->column = 0;
	r->n_rows++;
}

static void
begin_cell(struct report *r)
{
	if (r->format == REPORT_JSON && r->column == 0)
		buf_adds(&r->line, r->n_rows > 0 ? ",\n{" : "\n{");
	if (r->format == REPORT_JSON)
		jsonout_name(&r->line, r->columns[r->column].name);
	else if (r->format == REPORT_CSV && r->column > 0)
		buf_addc(&r->line, ',');
}

void
report_text(struct report *r, struct span text)
{
	begin_cell(r);
	if (r->format == REPORT_TEXT)
		add_column(r, text.data == NULL ? SPAN("-") : text);
	else
		report_cell(&r->line, r->format, text);
	end_cell(r);
}

void
report_int(struct report *r, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	begin_cell(r);
	if (r->format == REPORT_TEXT)
		add_column(r, span_of(text));
	else
		buf_adds(&r->line, text);
	end_cell(r);
}

void
report_begin(struct report *r, enum report_format format,
    const char *rows_name, const struct report_column *columns, size_t n)
{
	size_t i;

	*r = (struct report){.format = format, .columns = columns,
	    .n_columns = n, .rows_name = rows_name};
	buf_init(&r->line, LINE_MAX_BYTES);
	if (format == REPORT_JSON) {
		(void)printf("{\"%s\":[", rows_name);
		return;
	}
	for (i = 0; i < n; i++)
		report_text(r, span_of(columns[i].name));
	r->n_rows = 0;
}

bool
report_end(struct report *r, int64_t total, int64_t page, int64_t page_size)
{
	int64_t before = (page - 1) * page_size;
	FILE *out = r->format == REPORT_CSV ? stderr : stdout;
	enum err err = buf_err(&r->line);

	buf_release(&r->line);
	if (r->format == REPORT_JSON) {
		(void)printf("\n],\"total\":%lld,\"page\":%lld,"
			     "\"page_size\":%lld}\n",
		    (long long)total, (long long)page, (long long)page_size);
	} else if (r->n_rows == 0) {
		(void)fprintf(out, "none of %lld\n", (long long)total);
	} else {
		(void)fprintf(out, "%lld to %lld of %lld",
		    (long long)before + 1, (long long)before +
			(long long)r->n_rows, (long long)total);
		if (before + (int64_t)r->n_rows < total)
			(void)fprintf(out, "; further ones: --page %lld",
			    (long long)page + 1);
		(void)fprintf(out, "\n");
	}
	return err == ERR_NONE && fflush(stdout) == 0 && ferror(stdout) == 0;
}

bool
report_option(struct report_options *o, int argc, char **argv, int *i)
{
	if (o->page == 0)
		*o = (struct report_options){o->format, 1, PAGE_SIZE};
	if (strcmp(argv[*i], "--csv") == 0 && o->format != REPORT_JSON) {
		o->format = REPORT_CSV;
		return true;
	}
	if (strcmp(argv[*i], "--json") == 0 && o->format != REPORT_CSV) {
		o->format = REPORT_JSON;
		return true;
	}
	if (*i + 1 < argc && strcmp(argv[*i], "--page") == 0)
		return text_to_int64(span_of(argv[++*i]), 1, 1000000000,
		    &o->page);
	if (*i + 1 < argc && strcmp(argv[*i], "--page-size") == 0)
		return text_to_int64(span_of(argv[++*i]), 1, 100000,
		    &o->page_size);
	return false;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t
days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	/* Years that begin in March have their odd day at the end. */
	year -= month <= 2;
	era = year / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

bool
report_day(const char *text, int64_t *us)
{
	struct span rest = span_of(text), part[3];
	int64_t value[3];
	size_t i;

	if (rest.len != 10 || text[4] != '-' || text[7] != '-')
		return false;
	for (i = 0; i < 3; i++)
		part[i] = span_cut(&rest, '-');
	if (!text_to_int64(part[0], 1970, 9999, &value[0]) ||
	    !text_to_int64(part[1], 1, 12, &value[1]) ||
	    !text_to_int64(part[2], 1, 31, &value[2]))
		return false;
	*us = days_since_1970(value[0], value[1], value[2]) * 86400 *
	    INT64_C(1000000);
	return true;
}
