/* Running one statement in its usual ways. */
#include "store/rows.h"

#include <string.h>

const char *
row_like_pattern(struct span keyword, struct arena *arena)
{
	char *pattern = arena_alloc(arena, 2 * keyword.len + 3);
	size_t i, at = 0;

	if (pattern == NULL)
		return NULL;
	pattern[at++] = '%';
	for (i = 0; i < keyword.len; i++) {
		char c = keyword.data[i];

		if (c == '%' || c == '_' || c == '\\')
			pattern[at++] = '\\';
		pattern[at++] = c;
	}
	pattern[at++] = '%';
	pattern[at] = '\0';
	return pattern;
}

enum err
row_change(struct db *db, struct db_stmt *s)
{
	enum err err = db_run(s);

	return err == ERR_NONE && db_changes(db) == 0 ? ERR_NOT_FOUND : err;
}

enum err
row_int(struct db_stmt *s, int64_t *value)
{
	bool found;
	enum err err = db_step(s, &found);

	*value = 0;
	if (err == ERR_NONE && !found)
		err = ERR_NOT_FOUND;
	if (err == ERR_NONE)
		*value = db_int(s, 0);
	db_done(s);
	return err;
}

enum err
row_one(struct db_stmt *s, row_reader read, struct arena *arena, void *row,
    size_t size)
{
	bool found;
	enum err err = db_step(s, &found);

	memset(row, 0, size);
	if (err == ERR_NONE)
		err = found ? read(s, arena, row) : ERR_NOT_FOUND;
	db_done(s);
	return err;
}

void *
row_page(struct db_stmt *s, row_reader read, size_t size, size_t limit,
    struct arena *arena, size_t *n, bool *more, enum err *err)
{
	char *rows = arena_array(arena, limit, size);
	bool found = false;

	*n = 0;
	*err = rows == NULL ? ERR_MEMORY : ERR_NONE;
	while (*err == ERR_NONE) {
		*err = *n < limit || more != NULL ? db_step(s, &found)
						  : ERR_NONE;
		if (*err != ERR_NONE || !found || *n == limit)
			break;
		*err = read(s, arena, rows + size * (*n)++);
	}
	db_done(s);
	if (more != NULL)
		*more = *err == ERR_NONE && found;
	return rows;
}
