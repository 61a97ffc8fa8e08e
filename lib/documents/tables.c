/* RFC 4180, and what people write instead of it. */
#include "documents/tables.h"

#include <string.h>

#define LINES_LOOKED_AT 20 /* to guess the separator */

/* Where the record at text[0] ends: at a line end outside quotes.  Only at
 * the start of a cell does a mark quote; elsewhere it is an inch. */
static size_t
record_end(struct span text, char separator, bool quotes)
{
	bool quoted = false, cell_start = true;
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '"' && quotes && (quoted || cell_start))
			quoted = !quoted;
		else if (c == '\n' && !quoted)
			break;
		/* A doubled quote closes and opens again. */
		cell_start = c == separator || (c == '"' && !quoted) ||
		    (cell_start && c == ' ');
	}
	/* A quote that is never closed is none, nor does the rest of the
	 * table belong to its cell. */
	return quoted ? record_end(text, separator, false) : i;
}

struct span
table_record(struct span *rest, char separator)
{
	struct span record;
	size_t i;

	if (rest->len == 0)
		return SPAN_NONE;
	i = record_end(*rest, separator, true);
	record = (struct span){rest->data, i};
	rest->data += i < rest->len ? i + 1 : i;
	rest->len -= i < rest->len ? i + 1 : i;
	if (record.len > 0 && record.data[record.len - 1] == '\r')
		record.len--;
	return record;
}

static const char separators[] = ",;\t|";
#define N_SEPARATORS (sizeof(separators) - 1)

/* How often each separates cells in this line. */
static void
count_separators(struct span line, size_t counts[N_SEPARATORS])
{
	bool quoted = false, cell_start = true;
	size_t i, k;

	memset(counts, 0, N_SEPARATORS * sizeof(*counts));
	for (i = 0; i < line.len; i++) {
		char c = line.data[i];

		if (c == '"' && (quoted || cell_start))
			quoted = !quoted;
		for (k = 0; k < N_SEPARATORS && !quoted; k++)
			counts[k] += c == separators[k];
		cell_start = strchr(",;\t|", c) != NULL ||
		    (c == '"' && !quoted) || (cell_start && c == ' ');
	}
}

char
table_separator(struct span line)
{
	size_t counts[N_SEPARATORS], best = 0, k;

	count_separators(line, counts);
	for (k = 1; k < N_SEPARATORS; k++)
		if (counts[k] > counts[best])
			best = k;
	return counts[best] == 0 ? '\0' : separators[best];
}

char
table_guess_separator(struct span text)
{
	size_t counts[LINES_LOOKED_AT][N_SEPARATORS], lines = 0, i, j, k;
	size_t best = 0, alike, most = 0;
	struct span line;

	while (text.len > 0 && lines < LINES_LOOKED_AT) {
		line = span_cut(&text, '\n');
		if (span_trim(line).len > 0)
			count_separators(line, counts[lines++]);
	}
	for (k = 0; k < N_SEPARATORS; k++)
		for (i = 0; i < lines; i++) {
			alike = 0;
			for (j = 0; j < lines; j++)
				alike += counts[j][k] == counts[i][k];
			/* Lines that agree first, then cells in each. */
			alike = counts[i][k] == 0 ? 0
						  : alike * 1000 + counts[i][k];
			if (alike > most) {
				most = alike;
				best = k;
			}
		}
	return most == 0 ? '\0' : separators[best];
}

/* "a ""b""" is a "b". */
static struct span
unquote(struct span cell, struct arena *arena)
{
	char *text;
	size_t i, n = 0;

	if (cell.len < 2 || cell.data[0] != '"' ||
	    cell.data[cell.len - 1] != '"')
		return cell;
	cell = (struct span){cell.data + 1, cell.len - 2};
	if (cell.len == 0 || memchr(cell.data, '"', cell.len) == NULL)
		return span_trim(cell);
	text = arena_alloc(arena, cell.len);
	if (text == NULL)
		return cell;
	for (i = 0; i < cell.len; i++) {
		if (cell.data[i] == '"' && i + 1 < cell.len &&
		    cell.data[i + 1] == '"')
			i++;
		text[n++] = cell.data[i];
	}
	return span_trim((struct span){text, n});
}

size_t
table_cells(struct span record, char separator, struct arena *arena,
    struct span *cells, size_t max)
{
	bool quoted = false, cell_start = true;
	size_t start = 0, n = 0, i;

	if (separator == '|') { /* "| a | b |" has no cell outside */
		record = span_trim(record);
		if (record.len > 0 && record.data[0] == '|')
			start = 1;
		if (record.len > start && record.data[record.len - 1] == '|')
			record.len--;
	}
	for (i = start; i <= record.len && n < max; i++) {
		char c = i < record.len ? record.data[i] : separator;

		/* Rows of pages and of Markdown have no quoted cells. */
		if (i < record.len && c == '"' && separator != '|' &&
		    (quoted || cell_start))
			quoted = !quoted;
		cell_start = c == separator || (c == '"' && !quoted) ||
		    (cell_start && c == ' ');
		if (i < record.len && (quoted || c != separator))
			continue;
		cells[n++] = unquote(span_trim((struct span){
		    record.data + start, i - start}), arena);
		start = i + 1;
	}
	return n;
}
