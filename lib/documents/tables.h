/* Records of separated values: CSV, TSV, and lines of Markdown tables. */
#ifndef PARLANCE_TABLES_H
#define PARLANCE_TABLES_H

#include "base/arena.h"
#include "base/text.h"

/* The next record of *rest, without its line end; a quoted cell may hold
 * line ends.  Data NULL at the end. */
struct span table_record(struct span *rest, char separator);

/* Which of , ; TAB | separates this line: the one that occurs most outside
 * quotes; 0 when none does. */
char table_separator(struct span line);

/* The same for a whole text: the one that its first lines agree on most. */
char table_guess_separator(struct span text);

/* The cells of a record, without quotes and blanks around them, in the
 * arena; their number, at most max.  0 also when memory is short. */
size_t table_cells(struct span record, char separator, struct arena *arena,
    struct span *cells, size_t max);

#endif
