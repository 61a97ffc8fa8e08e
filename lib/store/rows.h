/* What the files of rows share: running one statement in its usual ways.
 * All of them finish the statement. */
#ifndef PARLANCE_ROWS_H
#define PARLANCE_ROWS_H

#include <stddef.h>

#include "store/db.h"

/* Binds a text of a column that is never NULL: an empty span is ''. */
static inline void
row_bind_text(struct db_stmt *s, int at, struct span text)
{
	db_bind_text(s, at, text.data == NULL ? SPAN("") : text);
}

/* "%keyword%" for LIKE ... ESCAPE '\', in the arena; NULL: no memory.  Which
 * letters LIKE takes for the same differs: compare lower() with lower(). */
const char *row_like_pattern(struct span keyword, struct arena *arena);

/* Fills a row's struct, zeroed before, from the statement's current row. */
typedef enum err (*row_reader)(struct db_stmt *s, struct arena *arena,
    void *row);

/* A change of one row; ERR_NOT_FOUND when there was none. */
enum err row_change(struct db *db, struct db_stmt *s)
    __attribute__((warn_unused_result));
/* One integer; ERR_NOT_FOUND, and 0, without a row. */
enum err row_int(struct db_stmt *s, int64_t *value)
    __attribute__((warn_unused_result));
/* One row of size bytes; ERR_NOT_FOUND, and zeros, without one. */
enum err row_one(struct db_stmt *s, row_reader read, struct arena *arena,
    void *row, size_t size) __attribute__((warn_unused_result));
/* At most limit rows of size bytes, *n of them, in the arena. *more (may be
 * NULL): there is another. */
void *row_page(struct db_stmt *s, row_reader read, size_t size, size_t limit,
    struct arena *arena, size_t *n, bool *more, enum err *err);

#endif
