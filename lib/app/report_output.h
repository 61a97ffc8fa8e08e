/*
 * Rows of a report on standard output: as text, as CSV for a spreadsheet, or
 * as JSON.  What people wrote stands in them, so it is made harmless where it
 * goes: no control character reaches a terminal, and no cell of a CSV file is
 * a formula.
 */
#ifndef PARLANCE_REPORT_OUTPUT_H
#define PARLANCE_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

enum report_format { REPORT_TEXT, REPORT_CSV, REPORT_JSON };

struct report_column {
	const char *name;
	int width; /* of text, in characters; 0: the row's last, uncut */
};

struct report {
	enum report_format format;
	const struct report_column *columns;
	size_t n_columns;
	const char *rows_name; /* JSON: the name of the rows' array */
	size_t column, n_rows; /* where it is */
	struct buf line;
};

/* Begins; CSV and text have a line of names. */
void report_begin(struct report *r, enum report_format format,
    const char *rows_name, const struct report_column *columns, size_t n);
/* The next cell, row after row; SPAN_NONE: nothing there. */
void report_text(struct report *r, struct span text);
void report_int(struct report *r, int64_t value);
/*
 * The end: how much there is, and of it what was shown.  JSON: members; text:
 * a line, on standard error with CSV.  False: not all could be written.
 */
bool report_end(struct report *r, int64_t total, int64_t page,
    int64_t page_size);

/* What such commands have in common: [--csv | --json] [--page N]. */
struct report_options {
	enum report_format format;
	int64_t page, page_size;
};
/* Takes argv[*i] when it is one of those.  False: it is none, or wrong. */
bool report_option(struct report_options *o, int argc, char **argv, int *i);

/* "2026-11-28" as microseconds since 1970, UTC; false: it is none. */
bool report_day(const char *text, int64_t *us);

/* For tests: a cell as the format has it. */
void report_cell(struct buf *out, enum report_format format,
    struct span text);

#endif
