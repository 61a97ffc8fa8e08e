/* RFC 4180, and what people write instead of it. */
#include "documents/tables.h"

#include <string.h>

struct span
table_record(struct span *rest, char separator)
{
	bool quoted = false, cell_start = true;
	struct span record;
	size_t i;

	if (rest->len == 0)
		return SPAN_NONE;
	for (i = 0; i < rest->len; i++) {
		char c = rest->data[i];

		if (c == '"' && (quoted || cell_start))
			quoted = !quoted;
		else if (c == '\n' && !quoted)
			break;
		/* A doubled quote closes and opens again. */
		cell_start = c == separator || (c == '"' && !quoted) ||
		    (cell_start && c == ' ');
	}
	record = (struct span){rest->data, i};
	rest->data += i < rest->len ? i + 1 : i;
	rest->len -= i < rest->len ? i + 1 : i;
	if (record.len > 0 && record.data[record.len - 1] == '\r')
		record.len--;
	return record;
}

char
table_separator(struct span line)
{
	static const char separators[] = ",;\t|";
	size_t counts[4] = {0}, best = 0, i, k;
	bool quoted = false;

	for (i = 0; i < line.len; i++) {
		if (line.data[i] == '"')
			quoted = !quoted;
		for (k = 0; k < 4 && !quoted; k++)
			counts[k] += line.data[i] == separators[k];
	}
	for (k = 1; k < 4; k++)
		if (counts[k] > counts[best])
			best = k;
	return counts[best] == 0 ? '\0' : separators[best];
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
	bool quoted = false;
	size_t start = 0, n = 0, i;

	if (separator == '|') { /* "| a | b |" has no cell outside */
		record = span_trim(record);
		if (record.len > 0 && record.data[0] == '|')
			start = 1;
		if (record.len > start && record.data[record.len - 1] == '|')
			record.len--;
	}
	for (i = start; i <= record.len && n < max; i++) {
		if (i < record.len && record.data[i] == '"')
			quoted = !quoted;
		if (i < record.len && (quoted || record.data[i] != separator))
			continue;
		cells[n++] = unquote(span_trim((struct span){
		    record.data + start, i - start}), arena);
		start = i + 1;
	}
	return n;
}
