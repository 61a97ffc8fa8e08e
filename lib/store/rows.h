/* Small things that the files of rows share. */
#ifndef PARLANCE_ROWS_H
#define PARLANCE_ROWS_H

#include "store/db.h"

/* Binds a text of a column that is never NULL: an empty span is ''. */
static inline void
row_bind_text(struct db_stmt *s, int at, struct span text)
{
	db_bind_text(s, at, text.data == NULL ? SPAN("") : text);
}

#endif
